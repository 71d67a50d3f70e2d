"""Build the layer on tables of one's own, in a warehouse of its own, and say what came of it."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
import raw_contract
import yaml
from headline import ANALYSIS, headline_table
from reporting.read import Warehouse
from rich.console import Console
from warehouse import must_be_writable, quoted

DATABASE = Path("data/own.duckdb")
TARGET = Path("target/own")
REPORT = Path("scripts/report.py")
PAGE = Path("report/own/index.html")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CLOCK = re.compile(r"^\d\d:\d\d:\d\d\s{1,2}")
PROGRESS = re.compile(r"(\d+) of (\d+) (START|OK|PASS|WARN|ERROR|FAIL|SKIP)")
# What people read of dbt's log: from the first of these on, up to the next that ends it.
BEGINS = re.compile(
    r"^(WARN|FAIL) \w+: |^(Compilation|Runtime|Database) Error|^There in the raw data"
)
ENDS = re.compile(r"^(Finished running|Completed with|Done\.|\d+ of \d+ )")


def variables(database: Path, connector: str | None, mapping: Path | None, derive: bool) -> dict:
    """The variables of dbt for a build.

    The folder of raw tables and the mapping are links of one name each: dbt parses the whole
    project again when a variable changes, which takes longer than most folders take to read.

    Raises:
        click.ClickException: where the mapping is no YAML mapping, or the connector has none.
    """
    given: dict[str, Any] = {"raw_path": str(database.with_suffix(".raw"))}
    if connector:
        given["raw_connector"] = connector
    if derive:
        given["derive_sampling_frame"] = True
    if mapping:
        if connector != "audit_sheet":
            raise click.ClickException("MAPPING is of CONNECTOR=audit_sheet alone.")
        try:
            said = yaml.safe_load(mapping.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{mapping} is no YAML: {error}") from error
        if not isinstance(said, dict):
            raise click.ClickException(f"{mapping} is no mapping of names to values.")
        given["audit_sheet"] = str(database.with_suffix(".mapping.yml"))
        given["reporting_timezone"] = said.get("timezone", "UTC")
    return given


def own_warehouse(database: Path, source: dict[str, str]) -> None:
    """Make sure that nothing of another source is in the warehouse.

    Beside the warehouse a file says what it was built from. Built from something else by this
    command, it is begun anew; any other file is left alone.

    Raises:
        click.ClickException: where the file is there and was not made by this command.
    """
    marker = database.with_suffix(".source.json")
    if database.exists():
        before = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else None
        if before is None:
            raise click.ClickException(
                f"{database} is there and was not made by make own: it may hold other numbers, "
                "such as the sample's. Name another file (ARGS='--database data/mine.duckdb')."
            )
        if before != source:
            click.echo(f"{database} was built from {before['raw']}: it is begun anew.")
            database.unlink()
            database.with_name(database.name + ".wal").unlink(missing_ok=True)
    database.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")


def link(to: Path, name: Path) -> None:
    """Let a name stand for a file or folder, whatever it stood for before.

    Raises:
        click.ClickException: where the name is there and is no link.
    """
    if name.is_symlink():
        name.unlink()
    elif name.exists():
        raise click.ClickException(f"{name} is there and is no link. Move it away.")
    name.symlink_to(to.resolve(), target_is_directory=to.is_dir())


def build(given: dict, database: Path, shown_as: tuple[str, str], console: Console) -> int:
    """Run dbt build with its data tests, and pass on what a person should read.

    Returns dbt's exit code. All that dbt said is in build.log of the target folder.
    """
    TARGET.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "build"]
    # They read no raw data.
    command += ["--target-path", str(TARGET), "--exclude-resource-types", "unit_test"]
    command += ["--vars", json.dumps(given)]
    is_shown = False
    with (
        (TARGET / "build.log").open("w", encoding="utf-8") as log,
        console.status("Reading the project") as status,
        subprocess.Popen(
            command,
            env=os.environ | {"MODERATION_QUALITY_DATABASE": str(database), "DO_NOT_TRACK": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            text = CLOCK.sub("", COLOUR.sub("", line)).rstrip().replace(*shown_as)
            progress = PROGRESS.match(text)
            if progress:
                status.update(f"Building: {progress[1]} of {progress[2]}")
            if ENDS.match(text):
                is_shown = False
            elif BEGINS.match(text):
                is_shown = True
            if is_shown and "compiled code at" not in text:
                console.print(text, markup=False, highlight=False, soft_wrap=True)
    return process.returncode


def query(database: Path, sql: str) -> pd.DataFrame:
    """The rows of a query on a warehouse, read only."""
    with duckdb.connect() as connection:
        connection.execute(f'attach {quoted(database)} as "{database.stem}" (read_only)')
        connection.execute(f'use "{database.stem}"')
        return connection.execute(sql).df()


def staged(manifest: Path) -> dict[str, str]:
    """{raw table: the relation of its rows in staging}, of the tables that some model reads."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        node["name"].removeprefix("stg_"): node["relation_name"]
        for node in nodes
        if node["resource_type"] == "model" and node["name"].startswith("stg_")
    }


def rows_read(database: Path) -> dict[str, int]:
    """{raw table: rows as last corrected}, of the tables that some model reads."""
    tables = staged(TARGET / "manifest.json")
    counts = " union all ".join(
        f"select '{table}' as table_name, count(*) as n from {relation}"
        for table, relation in tables.items()
    )
    rows = query(database, f"{counts} order by n desc, table_name")
    return dict(zip(rows.table_name, map(int, rows.n), strict=True))


def counted(n: int, what: str) -> str:
    """A count with its noun: 1 row, 2 rows."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def rows_of_sheet(database: Path) -> list[str]:
    """What became of the rows of an audit sheet, and of its volumes."""
    rows = query(
        database,
        "select fate, count(*) as n from raw_connector.audit_sheet__rows "
        "group by all order by n desc",
    )
    fates = ", ".join(f"{row.n:,} {row.fate}" for row in rows.itertuples())
    made = query(
        database,
        "select count(*) as n from raw_connector.audit_sheet__decisions "
        "where decision_id like 'volume:%'",
    ).n.iloc[0]
    lines = [f"the sheet: {counted(rows.n.sum(), 'row')} ({fates})"]
    if made:
        further = counted(made, "further decision")
        lines.append(f"the volumes: {further}, known by week, queue and action")
    return lines


def left_out(database: Path, connector: str | None) -> list[str]:
    """What is in no rate, and why: a line each, the most first."""
    lines = []
    if connector == "audit_sheet":
        rows = query(
            database,
            "select fate, coalesce(rejected_because, '') as why, count(*) as n, "
            "string_agg(row_no, ', ' order by row_no) as row_nos "
            "from raw_connector.audit_sheet__rows where fate in ('rejected', 'superseded') "
            "group by all order by n desc, why",
        )
        for row in rows.itertuples():
            why = row.why.replace("_", " ") or "a later row has the same audit id"
            lines.append(f"{counted(row.n, 'row')} {row.fate}: {why} (row {row.row_nos})")
        unread = query(
            database,
            "select count(*) as n, string_agg(row_no, ', ' order by row_no) as row_nos "
            "from raw_connector.audit_sheet__rows "
            "where score is null and score_text is not null and fate <> 'rejected'",
        ).iloc[0]
        if unread.n:
            lines.append(
                f"{counted(unread.n, 'score')} not read: outside score_scale, or ambiguous, as 1 "
                f"may be 1 % or all (row {unread.row_nos}). The audits count"
            )
    for noun in ("audit", "decision"):
        reasons = query(
            database,
            f"select exclusion_reason as why, count(*) as n from facts.fct_{noun}s "
            "where exclusion_reason is not null group by all order by n desc",
        )
        for row in reasons.itertuples():
            lines.append(f"{counted(row.n, noun)}: {row.why.replace('_', ' ')}")
    return lines


def frame_said(database: Path, connector: str | None) -> str:
    """What the audits were weighted by, in a sentence."""
    counts = query(
        database,
        "select count(*) as n_audits, count(weight) as n_weighted, "
        "count(*) filter (where exclusion_reason = 'no_frame') as n_without, "
        "count(*) filter (where weight is not null and stratum_key in "
        "(select stratum_key from facts.int_sampling__strata where is_derived)) "
        "as n_derived "
        "from facts.fct_audits",
    ).iloc[0]
    if not counts.n_audits:
        return "No audits: there is no accuracy to tell of."
    if not counts.n_weighted:
        why = "none counts, see above"
        if counts.n_without:
            why = "no frame; see derive_sampling_frame"
            if connector == "audit_sheet":
                why = "no frame; hand in the volumes"
        return f"{counts.n_audits:,} audits, none weighted: {why} (docs/own_data.md)."
    said = f"{counts.n_audits:,} audits, {counts.n_weighted:,} weighted"
    if counts.n_derived:
        said += (
            ". frame: derived. It was counted from the decisions and holds only if audits were "
            "drawn at random within week, queue, who decided and action group"
        )
    elif counts.n_without:
        said += f"; {counts.n_without:,} are in no stratum of the frame"
    return said + "."


def not_handed_in(read: dict[str, int]) -> list[str]:
    """What is missing of the optional tables that some model reads, and what they would add."""
    return [
        f"{table.name}: without it, {table.empty_means[0].lower()}{table.empty_means[1:]}"
        for table in raw_contract.tables()
        if not table.is_required and read.get(table.name) == 0
    ]


def page(database: Path, console: Console) -> list[str]:
    """Print the headline table and write the page; where that is."""
    manifest = TARGET / "manifest.json"
    rows = Warehouse(database, manifest).read({"rows": ANALYSIS.read_text("utf-8")})["rows"]
    if rows.empty:
        console.print("No decisions and so no rates: see the marts in schema rates.")
        return []
    rows["month_starts_on"] = pd.to_datetime(rows["month_starts_on"])
    console.print(headline_table(rows))
    written = subprocess.run(
        [
            *(sys.executable, str(REPORT), "page", "--database", str(database)),
            *("--manifest", str(manifest), "--output", str(PAGE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if written.returncode:
        return [f"no page: {(written.stderr.strip() or 'it failed').splitlines()[-1]}"]
    return [f"{PAGE} (open it in a browser)"]


def summary(database: Path, raw: Path, connector: str | None, console: Console) -> None:
    """Say what was read, what was left out and why, and what more would add."""

    def say(title: str, lines: list[str]) -> None:
        console.print(f"\n{title}", style="bold")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)

    read = rows_read(database)
    pages = page(database, console)
    lines = rows_of_sheet(database) if connector == "audit_sheet" else []
    say(f"Read from {raw}", lines + [f"{table}: {n:,}" for table, n in read.items() if n])
    say("Left out of the rates", left_out(database, connector) or ["nothing"])
    say("Weighted by", [frame_said(database, connector)])
    say("Not handed in", not_handed_in(read) or ["nothing"])
    say(
        "Where it is",
        [*pages, f"{database} (rates.accuracy_rates first; README says what else)"],
    )


@click.command()
@click.argument("raw", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--connector", help="A folder of models/connectors; none where RAW has raw tables.")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="What is what in the sheet, of connector audit_sheet: a YAML file.")  # fmt: skip
@click.option("--derive-sampling-frame", "derive", is_flag=True,
              help="Count the frame from the decisions.")  # fmt: skip
@click.option("--database", type=click.Path(dir_okay=False, path_type=Path), default=DATABASE,
              show_default=True, help="The warehouse to build.")  # fmt: skip
def main(
    raw: Path, connector: str | None, mapping: Path | None, derive: bool, database: Path
) -> None:
    """Build the layer on the tables in RAW, in a warehouse of its own, and say what came of it.

    The sample data and their warehouse stay as they are. Exits with 1 where the build fails.
    """
    began = time.monotonic()
    console = Console(width=None if Console().is_terminal else 130)
    source = {"raw": str(raw.resolve()), "connector": connector or ""}
    given = variables(database, connector, mapping, derive)
    must_be_writable(database)
    own_warehouse(database, source)
    link(raw, Path(given["raw_path"]))
    if mapping:
        link(mapping, Path(given["audit_sheet"]))
    code = build(given, database, (given["raw_path"], str(raw)), console)
    took = f"{time.monotonic() - began:.0f} s"
    if code:
        raise click.ClickException(
            f"the build failed after {took}: what is wrong is above, and all that dbt said in "
            f"{TARGET / 'build.log'}. Numbers in {database}, if any, are not of this build."
        )
    summary(database, raw, connector, console)
    console.print(f"\nBuilt in {took}.")


if __name__ == "__main__":
    main()
