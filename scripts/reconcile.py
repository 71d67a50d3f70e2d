"""Say whether the numbers agree: with each other, with the raw files, and with each source."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
from reconciling import checks, headline, published, raw
from reconciling.rows import RowDifferences, compare_rows
from reporting.read import built, variables_of
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

PROJECT = Path(__file__).resolve().parents[1]
SHOWN = 20
AGREE = ["match", "explained", "within_tolerance"]
COULD_NOT_RUN = 2


class CouldNotRun(click.ClickException):
    """What was asked for is not there."""

    exit_code = COULD_NOT_RUN


def attach(database: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a built warehouse, in bounded memory.

    Args:
        database: the DuckDB file that dbt built.
        memory: the most that DuckDB may use, such as 2GB.

    Raises:
        CouldNotRun: there is no such file, or it has no reconciliation.
    """
    if not database.exists():
        raise CouldNotRun(f"{database} is not there: run `make build` first.")
    connection = duckdb.connect(database, read_only=True)
    connection.execute(f"set memory_limit = '{memory}'")
    try:
        connection.sql("select 1 from reconciliation.reconciliation_checks limit 1").fetchall()
    except duckdb.CatalogException as error:
        raise CouldNotRun(f"{database} has no reconciliation: run `make build` again.") from error
    return connection


def recompute(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, memory: str, variables: dict[str, Any]
) -> tuple[list[headline.Figure], dict[str, tuple[int, int]], str]:
    """The headline and the rows of each raw table, from the raw files alone.

    Args:
        warehouse: a connection to the built warehouse.
        folder: the folder of raw tables.
        memory: the most that DuckDB may use.
        variables: dbt's, as the build had them.

    Returns:
        The figures; {table: (rows in the files, rows that the layer says were delivered)}; and why
        nothing was recomputed, which is empty where it was.
    """
    timezone = variables["reporting_timezone"]
    if timezone != "UTC":
        return [], {}, f"the reporting calendar is in {timezone}, and the query by hand in UTC"
    for name in ("as_of", "raw_connector", "raw_schema", "derive_sampling_frame"):
        if variables[name]:
            return [], {}, f"the variable {name} is set, which the query by hand does not know"
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{memory}'")
        files = raw.create_views(connection, folder)
        if not files["decisions"]:
            return [], {}, f"{folder} has no raw files"
        delivered = dict(
            warehouse.sql(
                "select table_name, n_delivered from reconciliation.rows_accounted_for"
            ).fetchall()
        )
        counts = {
            table: (
                connection.sql(f"select count(*) from raw_{table}").fetchall()[0][0],
                said,
            )
            for table, said in delivered.items()
        }
        figures = headline.compare(headline.recompute(connection), warehouse)
    return figures, counts, ""


def table_of_checks(rows: pd.DataFrame) -> Table:
    """The checks as a table for people."""
    table = Table(title="Does it agree?", title_justify="left")
    for name in ("Check", "Left", "Right"):
        table.add_column(name)
    for name in ("Compared", "Agree", "Named", "Break", "Not evaluated"):
        table.add_column(name, justify="right")
    for row in rows.itertuples():
        table.add_row(
            row.check_name.replace("_", " "),
            row.left_source,
            row.right_source,
            f"{row.n - row.n_not_evaluated:,}",
            f"{row.n_match + row.n_within_tolerance:,}",
            f"{row.n_explained:,}",
            f"[red]{row.n_break:,}" if row.n_break else "0",
            f"[yellow]{row.n_not_evaluated:,}" if row.n_not_evaluated else "0",
        )
    return table


def in_words(event: checks.Event) -> str:
    """One break as a sentence."""
    place = f", {event.part}" if event.part else ""
    much = "withheld" if event.difference is None else f"{event.difference:,.10g}"
    return (
        f"{event.window}: {event.left_source} and {event.right_source}{place} differ by {much} "
        f"{event.measure.replace('_', ' ')} ({event.reason_code}). {event.sentence}"
    )


def markdown(result: dict[str, Any], rows: pd.DataFrame, breaks: list[checks.Event]) -> str:
    """The result as a page of Markdown, without the id of any row."""
    lines = ["# Does it agree?", "", result["verdict"], ""]
    if breaks:
        lines += ["## What does not agree", ""]
        lines += [f"- {in_words(event)} *{event.what_to_do}.*" for event in breaks]
        lines += [""]
    lines += ["## Checks", ""]
    lines += ["| check | left | right | compared | agree | named | break | not evaluated |"]
    lines += ["|---|---|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| `{row.check_name}` | {row.left_source} | {row.right_source} "
        f"| {row.n - row.n_not_evaluated:,} | {row.n_match + row.n_within_tolerance:,} "
        f"| {row.n_explained:,} | {row.n_break:,} | {row.n_not_evaluated:,} |"
        for row in rows.itertuples()
    ]
    lines += ["", "## Recomputed from the raw files", ""]
    if result["not_recomputed_because"]:
        lines += [f"Nothing was: {result['not_recomputed_because']}.", ""]
    else:
        lines += [
            "| figure | months and queues | largest difference | status |",
            "|---|--:|--:|---|",
        ]
        lines += [
            f"| {one['name']} | {one['n']} | {one['largest']:.1e} | {one['status']} |"
            for one in result["headline"]
        ]
        lines += [""]
    for one in result["rows"]:
        lines += [
            f"Rows of {one['table']} beside the source's file: {one['n_same']:,} the same, "
            f"{one['n_changed']:,} changed, {one['n_only_source']:,} only in the source, "
            f"{one['n_only_layer']:,} only in the layer.",
            "",
        ]
    return "\n".join(lines)


def verdict(n_breaks: int, n_unevaluated: int, n_agree: int) -> str:
    """The result in a sentence."""
    said = f"{n_agree:,} comparisons agree"
    said += f", {n_breaks:,} do not" if n_breaks else ", and none does not"
    if n_unevaluated:
        said += f"; {n_unevaluated:,} could not be made, for want of a side"
    return said + "."


def look_at_reports(folder: Path, console: Console) -> int:
    """Print what does not add up in published reports.

    Args:
        folder: with the files that `published.identities` reads.
        console: where to.

    Returns:
        The exit code: 0 all adds up, 1 something does not.

    Raises:
        CouldNotRun: a file is not there.
    """
    try:
        rows = published.identities(folder)
    except FileNotFoundError as error:
        raise CouldNotRun(f"{error} is not there.") from error
    apart = rows[rows["difference"] != 0]
    table = Table("Identity", "Service", "Of", "Left", "Right", "Difference", "Name")
    for row in apart.itertuples():
        table.add_row(
            row.identity,
            row.service,
            row.part,
            f"{row.left:,.10g}",
            f"{row.right:,.10g}",
            f"{row.difference:,.10g}",
            row.name,
        )
    console.print(table)
    console.print(f"{len(rows) - len(apart):,} sums hold, {len(apart):,} do not.")
    return 1 if len(apart) else 0


@click.command()
@built
@click.option("--raw", "raw_folder", type=click.Path(path_type=Path), show_default="raw_path",
              help="The folder of raw files that it was built from.")  # fmt: skip
@click.option("--source", "sources", multiple=True, metavar="TABLE=FILE",
              help="Compare the rows of a raw table with a file of its source.")  # fmt: skip
@click.option("--reports", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Only look at published transparency reports in this folder.")  # fmt: skip
@click.option("--memory", default="2GB", show_default=True, help="The most that DuckDB may use.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("report/reconciliation"),
              show_default=True, help="The folder for JSON and Markdown.")  # fmt: skip
def main(  # noqa: PLR0917 click gives them by name
    database: Path,
    manifest: Path,
    raw_folder: Path | None,
    sources: tuple[str, ...],
    reports: Path | None,
    memory: str,
    output: Path,
) -> None:
    """Say whether the numbers agree: with each other, with the raw files, and with each source.

    Exit codes: 0 all agree; 1 something does not; 2 it could not run.
    """
    console = Console(width=None if Console().is_terminal else 130)
    if reports:
        sys.exit(look_at_reports(reports, console))
    warehouse = attach(database, memory)
    variables = variables_of(manifest)
    raw_folder = raw_folder or PROJECT / variables["raw_path"]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        steps = progress.add_task("Reading the checks", total=3 + len(sources))
        rows = checks.summary(warehouse)
        breaks = checks.events(warehouse, "break")
        progress.update(steps, advance=1, description="Recomputing the headline")
        figures, counts, why_not = recompute(warehouse, raw_folder, memory, variables)
        progress.update(steps, advance=1, description="Comparing rows")
        differences: list[RowDifferences] = []
        for pair in sources:
            name, _, file = pair.partition("=")
            days = progress.add_task(f"Rows of {name}")
            try:
                differences.append(
                    compare_rows(
                        warehouse,
                        name,
                        Path(file),
                        lambda done, total, task=days: progress.update(
                            task, completed=done, total=total
                        ),
                    )
                )
            except (ValueError, duckdb.Error) as error:
                raise CouldNotRun(f"--source {pair}: {error}") from error
            progress.update(steps, advance=1)

    lost = {table: pair for table, pair in counts.items() if pair[0] != pair[1]}
    n_breaks = (
        int(rows["n_break"].sum())
        + sum(figure.status == "break" for figure in figures)
        + len(lost)
        + sum(one.n_different for one in differences)
    )
    n_unevaluated = int(rows["n_not_evaluated"].sum()) + (1 if why_not else 0)
    n_agree = int(rows[[f"n_{name}" for name in AGREE]].sum().sum()) + sum(
        figure.status == "match" for figure in figures
    )
    result = {
        "verdict": verdict(n_breaks, n_unevaluated, n_agree),
        "n_agree": n_agree,
        "n_breaks": n_breaks,
        "n_not_evaluated": n_unevaluated,
        "checks": rows.to_dict("records"),
        "breaks": [event.as_dict() for event in breaks],
        "headline": [asdict(figure) | {"status": figure.status} for figure in figures],
        "raw_rows": {table: {"files": a, "layer": b} for table, (a, b) in counts.items()},
        "not_recomputed_because": why_not,
        # Their ids are of people's work: printed, and not written.
        "rows": [{k: v for k, v in asdict(one).items() if k != "examples"} for one in differences],
    }
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, default=str)
    (output / "reconciliation.json").write_text(text + "\n", encoding="utf-8")
    page = markdown(result, rows, breaks)
    (output / "reconciliation.md").write_text(page + "\n", encoding="utf-8")

    console.print(table_of_checks(rows))
    for figure in figures:
        console.print(
            f"Recomputed from the raw files: {figure.name.replace('_', ' ')} of {figure.n} months "
            f"and queues, largest difference {figure.largest:.1e}: {figure.status}."
        )
    if why_not:
        console.print(f"Not recomputed from raw files: {why_not}.", style="yellow")
    for table, (in_files, in_layer) in lost.items():
        console.print(f"{table}: {in_files:,} rows in the files, {in_layer:,} read.", style="red")
    for one in differences:
        console.print(
            f"Rows of {one.table}: {one.n_same:,} the same, {one.n_changed:,} changed "
            f"({', '.join(f'{k} {v:,}' for k, v in one.columns.items()) or 'no column'}), "
            f"{one.n_only_source:,} only in the source, {one.n_only_layer:,} only in the layer."
        )
        for kind, ids in one.examples.items():
            if ids:
                console.print(f"  {kind}: {', '.join(ids)}")
    if breaks:
        console.print("\nWhat does not agree, the largest first:", style="bold")
    for event in breaks[:SHOWN]:
        console.print(f"- {in_words(event)}\n  What to do: {event.what_to_do}.")
    if len(breaks) > SHOWN:
        console.print(f"… and {len(breaks) - SHOWN} more in {output / 'reconciliation.md'}.")
    console.print(f"\n{result['verdict']} Written to {output}/reconciliation.md and .json.")
    sys.exit(1 if n_breaks else 0)


if __name__ == "__main__":
    main()
