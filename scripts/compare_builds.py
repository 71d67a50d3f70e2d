"""Compare two warehouses, table by table: what a change of the models did to the numbers."""

import sys
from pathlib import Path

import click
import duckdb
import parity
from rich.console import Console
from rich.table import Table
from warehouse import quoted

PROJECT = Path(__file__).resolve().parents[1]


def layout(connection: duckdb.DuckDBPyConnection, warehouse: str) -> dict[str, dict[str, str]]:
    """The columns of every table and view of an attached warehouse.

    Args:
        connection: DuckDB, with the warehouse attached.
        warehouse: the name it is attached under.

    Returns:
        {"schema.table": {column: type}}, types as the models' contracts write them.
    """
    rows = connection.execute(
        "select schema_name, table_name, column_name, lower(data_type) from duckdb_columns() "
        "where database_name = ? and not internal order by all",
        [warehouse],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault(f"{schema}.{table}", {})[column] = kind.replace("varchar", "string")
    return found


def read_renames(pairs: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Read renames of the form table.old=new.

    Args:
        pairs: what was given on the command line.

    Returns:
        {table: {new column: old column}}.

    Raises:
        click.BadParameter: one is not of that form.
    """
    renames: dict[str, dict[str, str]] = {}
    for pair in pairs:
        old, _, new = pair.partition("=")
        table, _, column = old.partition(".")
        if not (table and column and new):
            raise click.BadParameter(f"{pair} should look like table.old_column=new_column.")
        renames.setdefault(table, {})[new] = column
    return renames


def compare_builds(
    connection: duckdb.DuckDBPyConnection,
    keys: dict[str, list[str]],
    renames: dict[str, dict[str, str]],
    tolerance: float,
) -> tuple[dict[str, parity.Comparison], dict[str, list[str]]]:
    """Compare the warehouses attached as `before` and `after`.

    Args:
        connection: DuckDB, with both attached.
        keys: {table: columns or expressions that tell its rows apart}, of the later build.
        renames: {table: {new column: old column}}.
        tolerance: how far apart doubles may be, absolute up to 1 and relative above.

    Returns:
        The comparison of the rows of each table that both have, over the columns that both have;
        and what only one of them has, as {"gone": [...], "new": [...]}.
    """
    before, after = layout(connection, "before"), layout(connection, "after")
    only = {"gone": sorted(before.keys() - after), "new": sorted(after.keys() - before)}
    comparisons = {}
    for table in sorted(before.keys() & after):
        name = table.partition(".")[2]
        old_names = {new: old for new, old in renames.get(name, {}).items() if new in after[table]}
        columns = {
            new: kind
            for new, kind in after[table].items()
            if old_names.get(new, new) in before[table]
        }
        of_before = {old_names.get(new, new) for new in columns}
        only["gone"] += [f"{table}.{column}" for column in before[table].keys() - of_before]
        only["new"] += [f"{table}.{column}" for column in after[table].keys() - columns]
        if name not in keys:
            continue
        selected = ", ".join(f"{old_names.get(new, new)} as {new}" for new in columns)
        mart = parity.Mart(name, table, keys[name], columns)
        comparisons[table] = parity.compare(
            connection,
            mart,
            f"(select {selected} from before.{table})",
            f"(select {', '.join(columns)} from after.{table})",
            tolerance,
        )
    return comparisons, {what: sorted(names) for what, names in only.items()}


@click.command()
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--after", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              default=PROJECT / "data" / "warehouse.duckdb", show_default="data/warehouse.duckdb",
              help="The later warehouse.")  # fmt: skip
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              default=PROJECT / "target" / "manifest.json", show_default="target/manifest.json",
              help="Of the later build: it knows the key of each table.")  # fmt: skip
@click.option("--renamed", multiple=True, metavar="TABLE.OLD=NEW",
              help="A column that has another name now; may be given several times.")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(0), default=1e-12, show_default=True,
              help="How far apart doubles may be: absolute up to 1, relative above.")  # fmt: skip
def main(
    before: Path, after: Path, manifest: Path, renamed: tuple[str, ...], tolerance: float
) -> None:
    """Compare the warehouse BEFORE with a later one, row by row, and print what changed.

    Exit codes: 0 all rows of the tables and columns that both have are equal, 1 some differ,
    2 wrong usage.
    """
    renames = read_renames(renamed)
    nodes = parity.read_nodes(manifest)
    keys = {nodes[name]["name"]: key for name, key in parity.keys_of_tables(nodes).items()}
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(before)} as before (read_only)")
        connection.execute(f"attach {quoted(after)} as after (read_only)")
        comparisons, only = compare_builds(connection, keys, renames, tolerance)
    changed = {name: found for name, found in comparisons.items() if not found.is_equal}
    console = Console(width=None if Console().is_terminal else 130)
    if changed:
        console.print(parity.report(changed, "Tables that differ"))
    for what, names in only.items():
        table = Table(f"Only {'before' if what == 'gone' else 'after'}", show_edge=False)
        for name in names:
            table.add_row(name)
        if names:
            console.print(table)
    console.print(
        f"{len(comparisons) - len(changed)} of {len(comparisons)} tables are equal in every row "
        "and column that both builds have."
    )
    if changed:
        sys.exit(1)


if __name__ == "__main__":
    main()
