"""Build the layer on DuckDB and on Spark, and compare every table row by row.

The comparison is one SQL join in DuckDB: it is a dependency already, knows null from a value, and
spills where a data frame would not fit. What is identical, modified, added and removed is counted
per mart, in the shape that dbt-audit-helper made familiar.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

import click
import duckdb
import pyarrow as pa
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-9
# The world that is made where no raw data are named.
SMALL_WORLD = ["--days", "14", "--decisions-per-day", "150", "--moderators", "20", "--queues", "4"]
SMALL_WORLD += ["--audit-rate", "0.15"]


@dataclass(frozen=True)
class Mart:
    """A table: name, relation, key (columns or SQL), {column: type of the contract}.

    Last, the columns of which only the type is looked at.
    """

    name: str
    relation: str
    key: list[str]
    columns: dict[str, str]
    not_compared: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Comparison:
    """How many rows of a mart are what, and where modified rows differ."""

    identical: int
    modified: int
    added: int
    removed: int
    differs_in: dict[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether no row is modified, added or removed."""
        return not (self.modified or self.added or self.removed)


class BuildError(click.ClickException):
    """A build failed, so that there is nothing to compare."""

    exit_code = 3


def read_nodes(manifest: Path) -> dict:
    """Read the nodes of a manifest, by their ids."""
    return json.loads(manifest.read_text(encoding="utf-8"))["nodes"]


def keys_of_tables(nodes: dict) -> dict[str, list[str]]:
    """Read what tells the rows of each node apart: its primary key, `meta.key` or `unique_key`.

    Args:
        nodes: the nodes of a manifest.

    Returns:
        The columns of the key, or expressions of columns, by the node's id.
    """
    keys = {}
    for name, node in nodes.items():
        for constraint in node.get("constraints", []):
            if constraint["type"] == "primary_key":
                keys.setdefault(name, constraint["columns"])
        if node["resource_type"] == "model" and "key" in node["config"].get("meta", {}):
            keys.setdefault(name, node["config"]["meta"]["key"])
        test = node.get("test_metadata") or {}
        # A manifest may hold the tests of a connector that is switched off, without its models.
        if test.get("name") == "unique_key" and node["attached_node"] in nodes:
            keys[node["attached_node"]] = test["kwargs"]["columns"]
    return keys


def marts(manifest: Path) -> list[Mart]:
    """The tables that a build leaves, staging and intermediate ones too, in the order of building.

    Where a mart differs, the first table that does says where it began. The key is that of the
    generic test unique_key, or else the primary key, or else config.meta.key. Columns that say what
    an engine ran (config.meta.is_of_one_engine) are left out. So are tables that the build was not
    asked for (--select).

    Args:
        manifest: manifest.json of a build, with its run_results.json beside it.

    Returns:
        The marts.

    Raises:
        click.ClickException: a table has no key.
    """
    nodes = read_nodes(manifest)
    results = json.loads(manifest.with_name("run_results.json").read_text(encoding="utf-8"))
    built = {result["unique_id"] for result in results["results"]}
    keys = keys_of_tables(nodes)
    tables = {
        name: node["depends_on"]["nodes"]
        for name, node in nodes.items()
        if node["resource_type"] == "model"
    }
    found = []
    for name in TopologicalSorter(tables).static_order():
        node = nodes.get(name, {})
        if name not in tables or name not in built or node["config"]["materialized"] == "view":
            continue
        if name not in keys:
            raise click.ClickException(f"{node['name']} has no key: give it the test unique_key.")
        columns = {column["name"]: column["data_type"] for column in node["columns"].values()}
        not_compared = {
            column["name"]
            for column in node["columns"].values()
            if column.get("config", {}).get("meta", {}).get("is_of_one_engine")
        }
        found.append(Mart(node["name"], node["relation_name"], keys[name], columns, not_compared))
    return found


def compare(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    before: str,
    after: str,
    tolerance: float = TOLERANCE,
) -> Comparison:
    """Compare two relations row by row, by the mart's key.

    A double may differ by `tolerance`, absolute up to 1 and relative above; everything else must be
    equal, and a null equals a null only. A key that repeats is told apart by the order of its rows.

    Args:
        connection: DuckDB, which can read both relations.
        mart: its key and columns.
        before: the relation that is compared with.
        after: the relation that is compared; a row of its own is added, one it lacks removed.
        tolerance: how far apart doubles may be.

    Returns:
        The counts of rows; differs_in has the modified rows per column that differs.
    """
    values = [name for name in mart.columns if name not in {*mart.key, *mart.not_compared}]
    equal = {name: _equal(name, mart.columns[name], tolerance) for name in values}
    keys = ", ".join(f"{part} as key_{i}" for i, part in enumerate(mart.key))
    order = f"partition by {', '.join(mart.key)} order by {', '.join(mart.columns)}"
    sides = {
        side: f"select *, {keys}, row_number() over ({order}) as nth from {relation}"
        for side, relation in {"a": before, "b": after}.items()
    }
    same_key = " and ".join(
        f"a.{part} is not distinct from b.{part}"
        for part in ["nth", *(f"key_{i}" for i in range(len(mart.key)))]
    )
    is_modified = " or ".join(f"not ({test})" for test in equal.values()) or "false"
    both = "a.nth is not null and b.nth is not null"
    per_column = "".join(f", count(*) filter ({both} and not ({test}))" for test in equal.values())
    [(identical, modified, added, removed, *differing)] = connection.execute(
        f"with a as ({sides['a']}), b as ({sides['b']}) "
        f"select count(*) filter ({both} and not ({is_modified})), "
        f"count(*) filter ({both} and ({is_modified})), "
        "count(*) filter (a.nth is null), count(*) filter (b.nth is null)"
        f"{per_column} from a full outer join b on {same_key}"
    ).fetchall()
    differs_in = {name: n for name, n in zip(values, differing, strict=True) if n}
    return Comparison(identical, modified, added, removed, differs_in)


def _equal(name: str, data_type: str, tolerance: float) -> str:
    """A condition, never null: the column is the same on both sides."""
    a, b = f"a.{name}", f"b.{name}"
    same = f"{a} is not distinct from {b}"
    if data_type != "double":
        return same
    near = (
        f"isfinite({a}) and isfinite({b}) "
        f"and abs({a} - {b}) <= {tolerance} * greatest(1, abs({a}), abs({b}))"
    )
    return f"{same} or coalesce({near}, false)"


def type_differences(connection: duckdb.DuckDBPyConnection, mart: Mart, relation: str) -> list[str]:
    """The columns of a relation that are missing, too many, or of another type than the contract.

    Args:
        connection: DuckDB, which can read the relation.
        mart: the contract.
        relation: the relation as built.

    Returns:
        One sentence a column; empty where the contract is met.
    """
    described = connection.execute(f"describe select * from {relation}").fetchall()
    has = {name: kind.lower().replace("varchar", "string") for name, kind, *_ in described}
    return [
        f"{mart.name}.{name} is {has.get(name, 'absent')}, not {mart.columns.get(name, 'there')}"
        for name in mart.columns | has
        if has.get(name) != mart.columns.get(name)
    ]


def spark_tables(relations: list[str]) -> dict[str, pa.Table]:
    """Read tables of the Spark target as Arrow, with timestamps as UTC without a zone.

    Args:
        relations: the tables, by schema and name.

    Returns:
        {relation: all its rows}, held in memory.

    Raises:
        BuildError: dbt cannot open the session.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 (a second)
    from pyspark.sql import SparkSession  # noqa: PLC0415 (only where Spark is installed)

    # dbt opens the session, so that it is the one that profiles.yml describes.
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        opened = dbtRunner().invoke(["debug", "--connection", "--target", "spark", "--quiet"])
    if not opened.success:
        raise BuildError(said.getvalue())
    session = SparkSession.builder.getOrCreate()
    try:
        return {relation: _utc(session.table(relation).toArrow()) for relation in relations}
    finally:
        session.stop()


def _utc(table: pa.Table) -> pa.Table:
    naive = pa.timestamp("us")
    fields = [
        field.with_type(naive) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def build(target: str, raw: Path, work: Path, selection: tuple[str, ...] = ()) -> Path:
    """Build every model and run every test on a target, or those of a selection.

    Args:
        target: a target of profiles.yml.
        raw: the folder of the raw tables.
        work: the folder of the warehouses; each target has its artifacts in a folder there.
        selection: what to build, as dbt's --select has it.

    Returns:
        manifest.json of the build.

    Raises:
        BuildError: dbt found an error or a failing test; what it said was printed.
    """
    artifacts = work / target
    command = ["dbt", "--no-use-colors", "build", "--target", target]
    # Tests that also read tables which are not selected are left to a whole build.
    command += ["--select", *selection, "--indirect-selection", "buildable"] if selection else []
    folders = ["--target-path", str(artifacts), "--log-path", str(artifacts)]
    variables = ["--vars", json.dumps({"raw_path": str(raw.resolve())})]
    done = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:], *folders, *variables],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (work / f"{target}.log").write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        click.echo(done.stdout, err=True)
        raise BuildError(f"dbt build --target {target} failed; what it said is above.")
    click.echo(f"{target}: {done.stdout.strip().splitlines()[-1].split('  ')[-1]}")
    return artifacts / "manifest.json"


def compare_all(
    connection: duckdb.DuckDBPyConnection,
    on_duckdb: list[Mart],
    on_spark: Callable[[Mart], str],
    tolerance: float = TOLERANCE,
) -> tuple[dict[str, Comparison], list[str]]:
    """Compare every mart with its table of Spark.

    Args:
        connection: DuckDB, which can read both.
        on_duckdb: the marts, by their relations in the warehouse.
        on_spark: gives the relation in `connection` that has a mart's rows of Spark.
        tolerance: how far apart doubles may be.

    Returns:
        {mart: its comparison}, and a sentence for each column of another type than the contract's.
    """
    comparisons, wrong_types = {}, []
    for mart in on_duckdb:
        other = on_spark(mart)
        for relation in (mart.relation, other):
            wrong_types += type_differences(connection, mart, relation)
        comparisons[mart.name] = compare(connection, mart, mart.relation, other, tolerance)
    return comparisons, wrong_types


def report(comparisons: dict[str, Comparison], title: str) -> Table:
    """The comparisons as a table for people."""
    table = Table(title=title, title_justify="left")
    table.add_column("Table")
    for name in ["Identical", "Modified", "Added", "Removed"]:
        table.add_column(name, justify="right")
    table.add_column("Differs in")
    for name, found in comparisons.items():
        counts = (found.identical, found.modified, found.added, found.removed)
        where = ", ".join(f"{column} ({n:,})" for column, n in found.differs_in.items())
        table.add_row(name, *(f"{count:,}" for count in counts), where)
    return table


@click.command()
@click.option("--raw", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The raw tables.  [default: a small world, made for it]")  # fmt: skip
@click.option("--work", type=click.Path(path_type=Path), default=PROJECT / "target" / "parity",
              show_default="target/parity", help="Warehouses, logs, artifacts.")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(0), default=TOLERANCE, show_default=True,
              help="How far apart doubles may be: absolute up to 1, relative above.")  # fmt: skip
@click.option("--select", "selection", multiple=True, metavar="SELECTOR",
              help="Only a part, as dbt's --select; may be given several times.")  # fmt: skip
@click.option("--build/--no-build", "is_built_anew", default=True, show_default=True,
              help="Or compare what is in WORK.")  # fmt: skip
def main(
    raw: Path | None,
    work: Path,
    tolerance: float,
    selection: tuple[str, ...],
    is_built_anew: bool,
) -> None:
    """Build the layer on DuckDB and on Spark, and compare every table row by row.

    Exit codes: 0 all rows are identical, 1 some differ, 2 wrong usage, 3 a build failed.
    """
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "MODERATION_QUALITY_DATABASE": str(work / "warehouse.duckdb"),
        "MODERATION_QUALITY_SPARK_HOME": str(work / "spark_home"),
    }
    if is_built_anew:
        if raw is None:
            raw = work / "world" / "raw"
            simulate = [sys.executable, PROJECT / "scripts" / "simulate.py", "--quiet", "--force"]
            subprocess.run([*simulate, "--out", raw.parent, *SMALL_WORLD], check=True)
        for target in ("dev", "spark"):
            build(target, raw, work, selection)
    on_duckdb = marts(work / "dev" / "manifest.json")
    relations = {mart.name: mart.relation for mart in marts(work / "spark" / "manifest.json")}
    tables = spark_tables(list(relations.values()))
    with duckdb.connect() as connection:
        connection.execute(f"attach '{work / 'warehouse.duckdb'}' as warehouse (read_only)")

        def on_spark(mart: Mart) -> str:
            connection.register("on_spark", tables[relations[mart.name]])
            return "on_spark"

        comparisons, wrong_types = compare_all(connection, on_duckdb, on_spark, tolerance)
    console = Console(width=None if Console().is_terminal else 130)
    console.print(report(comparisons, "Spark compared with DuckDB"))
    for sentence in wrong_types:
        console.print(sentence)
    n_rows = sum(found.identical for found in comparisons.values())
    n_equal = sum(found.is_equal for found in comparisons.values())
    console.print(f"{n_equal} of {len(comparisons)} tables are identical, {n_rows:,} rows in all.")
    if wrong_types or not n_rows or n_equal < len(comparisons):
        sys.exit(1)


if __name__ == "__main__":
    main()
