"""Copy the open marts to where BI tools read them, so that a build never waits for a reader."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import duckdb
import xlsxwriter
from exporting import tableau
from exporting.definitions import SEMANTIC_MANIFEST, definitions
from exporting.power_bi import write_power_bi
from reporting.read import Warehouse, built, variables_of
from rich.console import Console
from warehouse import quoted

# Seeds that explain what marts say.
SEEDS = ("metrics", "dimensions", "reasons", "alert_kinds", "definition_changes")
# Older readers open it: DuckDB 1.4 and later, and the drivers of that age.
STORAGE = "v1.4.0"
# What the workbook shows, and of which rows: what a week is discussed with.
WEEKS = "period_type = 'week'"
WORKBOOK = {
    "headline": f"{WEEKS} and dimension_name in ('overall', 'queue')",
    "queue_targets": "true",
    "alerts": "true",
    "audits_due": "true",
    "turnaround": WEEKS,
    "workload": WEEKS,
    "appeal_rates": WEEKS,
}
LARGEST_SHEET = 1_048_575  # rows, without the heading
LATEST = "latest"
TYPES = {
    "VARCHAR": "string", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number",
    "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "datetime",
}  # fmt: skip


class Mart(NamedTuple):
    """A table that is copied.

    Attributes:
        columns: {name: (type of DuckDB, description)}, in order.
    """

    schema: str
    name: str
    relation: str
    description: str
    columns: dict[str, tuple[str, str]]


def open_marts(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection) -> list[Mart]:
    """What everybody may read: open marts, and the seeds that explain them.

    Raises:
        click.ClickException: one was not built, contradicts schema restricted, or has a type that
            a reader would not know.
    """
    found = []
    for name, node in sorted(warehouse.nodes.items()):
        is_open = node["config"].get("meta", {}).get("readers") == "everybody"
        if not (is_open or name in SEEDS):
            continue
        relation = warehouse.relation(name)
        try:
            described = connection.execute(f"describe {relation}").fetchall()
        except duckdb.CatalogException as error:
            raise click.ClickException(
                f"{name} is not in {warehouse.database}: build it whole (make build)."
            ) from error
        texts = {column: entry["description"] for column, entry in node["columns"].items()}
        columns = {column: (kind, texts.get(column, "")) for column, kind, *_ in described}
        for column, (kind, _) in columns.items():
            if kind not in TYPES:
                raise click.ClickException(
                    f"{name}.{column} is {kind}, which CSV and Excel do not know: cast it."
                )
        found.append(Mart(node["schema"], name, relation, node["description"], columns))
    return found


def write_database(connection: duckdb.DuckDBPyConnection, marts: list[Mart], file: Path) -> None:
    """The marts as a DuckDB file, with their descriptions as comments."""
    connection.execute(f"attach {quoted(file)} as exported (storage_version '{STORAGE}')")
    for mart in marts:
        target = f'exported."{mart.schema}"."{mart.name}"'
        connection.execute(f'create schema if not exists exported."{mart.schema}"')
        connection.execute(f"create table {target} as from {mart.relation} order by all")
        connection.execute(f"comment on table {target} is {quoted(mart.description)}")
        for column, (_, description) in mart.columns.items():
            connection.execute(f'comment on column {target}."{column}" is {quoted(description)}')
    connection.execute("detach exported")


def write_files(connection: duckdb.DuckDBPyConnection, marts: list[Mart], folder: Path) -> None:
    """A Parquet and a CSV file a mart."""
    for kind, options in (("parquet", "format parquet"), ("csv", "header")):
        (folder / kind).mkdir()
        for mart in marts:
            connection.execute(
                f"copy (from {mart.relation} order by all) "
                f"to {quoted(f'{folder / kind / mart.name}.{kind}')} ({options})"
            )


def data_package(marts: list[Mart], built_at: str) -> dict[str, Any]:
    """What the CSV files hold, as a Data Package (specs.frictionlessdata.io)."""
    return {
        "name": "moderation-quality",
        "title": "Moderation quality: the open marts",
        "created": built_at,
        "profile": "tabular-data-package",
        "resources": [
            {
                "name": mart.name.replace("_", "-"),
                "title": mart.name,
                "path": f"csv/{mart.name}.csv",
                "profile": "tabular-data-resource",
                "encoding": "utf-8",
                "description": mart.description,
                "schema": {
                    "fields": [
                        {"name": column, "type": TYPES[kind], "description": text}
                        | ({"format": "%Y-%m-%d %H:%M:%S"} if kind == "TIMESTAMP" else {})
                        for column, (kind, text) in mart.columns.items()
                    ],
                    "missingValues": [""],
                },
            }
            for mart in marts
        ],
    }


def write_workbook(
    connection: duckdb.DuckDBPyConnection, marts: list[Mart], file: Path, built_at: datetime
) -> None:
    """The weekly marts, a sheet each, and what their columns mean.

    Raises:
        click.ClickException: a sheet would have more rows than Excel can hold.
    """
    by_name = {mart.name: mart for mart in marts}
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(file, options) as workbook:
        workbook.set_properties({"title": "Moderation quality: weekly marts", "created": built_at})
        percent = workbook.add_format({"num_format": "0.0%"})
        dictionary = list(said_of(by_name))
        _sheet(workbook, "dictionary", dictionary[0], dictionary[1:], {})
        for name, condition in WORKBOOK.items():
            mart = by_name[name]
            rows = connection.execute(
                f"from {mart.relation} where {condition} order by all"
            ).fetchall()
            if len(rows) > LARGEST_SHEET:
                raise click.ClickException(
                    f"Excel holds {LARGEST_SHEET:,} rows in a sheet, and {name} has {len(rows):,} "
                    "of weeks: read the Parquet files, or leave it out of WORKBOOK."
                )
            formats = {
                place: percent for place, column in enumerate(mart.columns) if is_share(column)
            }
            _sheet(workbook, name, tuple(mart.columns), rows, formats)


def said_of(marts: dict[str, Mart]) -> Iterator[tuple[str, ...]]:
    """The rows of the dictionary: what each sheet and column is."""
    yield ("sheet", "column", "what it is")
    for name, condition in WORKBOOK.items():
        rows = "all rows" if condition == "true" else f"rows where {condition}"
        yield (name, "", f"{marts[name].description} Here: {rows}.")
        for column, (_, description) in marts[name].columns.items():
            yield (name, column, description)


def is_share(column: str) -> bool:
    """Whether a column is a share in every row, so that it may be shown in percent.

    An estimate may be hours or points: it stays a plain number, beside its unit.
    """
    return bool(re.search(r"(^|_)(rate|share)$", column))


def _sheet(
    workbook: Any,
    name: str,
    heading: tuple[str, ...],
    rows: list[tuple[Any, ...]],
    formats: dict[int, Any],
) -> None:
    """A sheet with a heading that stays in view and filters."""
    sheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(heading) - 1)
    for place, column in enumerate(heading):
        sheet.set_column(place, place, 90 if column == "what it is" else max(12, len(column) + 3),
                         formats.get(place))  # fmt: skip
    sheet.write_row(0, 0, heading, workbook.add_format({"bold": True, "bottom": 1}))
    for at, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(at, place, value)
            elif value is not None:
                sheet.write(at, place, value)


def write_definitions(
    connection: duckdb.DuckDBPyConnection, marts: list[Mart], folder: Path, manifest: Path
) -> None:
    """The metrics of the semantic layer, for Power BI and, if its library is there, Tableau.

    Raises:
        click.ClickException: the semantic layer was not parsed, or has what a tool cannot have.
    """
    by_name = {mart.name: mart for mart in marts}
    columns = {mart.name: mart.columns for mart in marts}
    level = float(variables_of(manifest)["confidence_level"])
    try:
        metrics = definitions(manifest.with_name(SEMANTIC_MANIFEST))
        write_power_bi(folder / "power_bi", metrics, columns, level)
        if tableau.installed():
            tableau.write(connection, by_name, metrics, level, folder / "tableau")
    except FileNotFoundError as error:
        raise click.ClickException(f"{error.filename} is not there: run `make build`.") from error
    except ValueError as error:
        raise click.ClickException(f"A BI tool cannot have the metrics: {error}") from error


def put(output: Path, incoming: Path) -> Path:
    """Make a finished copy the latest, at once: readers see the one before it or this one.

    `latest` is a link to the folder of a copy. What is open in the one before it stays readable;
    older copies, and what a killed run left, are removed.

    Returns:
        the path of the latest copy.
    """
    latest, link = output / LATEST, output / f".{incoming.name}"
    link.unlink(missing_ok=True)
    link.symlink_to(incoming.name, target_is_directory=True)
    before = latest.resolve().name if latest.exists() else None
    os.replace(link, latest)
    for folder in output.glob("copy-*"):
        if folder.name not in (incoming.name, before):
            shutil.rmtree(folder, ignore_errors=True)
    return latest


@click.command()
@built
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=Path("exports"),
              show_default=True, help="The folder to write to.")  # fmt: skip
def main(database: Path, manifest: Path, output: Path) -> None:
    """Copy the open marts for BI tools: DuckDB, Parquet, CSV and a workbook.

    Beside them the metrics of the semantic layer: a Power BI project, a data source of Tableau.

    Read OUTPUT/latest. It is replaced at once when a copy is complete: a build and an export never
    disturb who reads, and a killed one leaves the copy before it. Exit codes: 0 written, 1 nothing
    to read or a contradiction, 2 wrong usage.
    """
    console = Console(stderr=True)
    warehouse = Warehouse(database, manifest)
    generated_at = warehouse.manifest["metadata"]["generated_at"]
    output.mkdir(parents=True, exist_ok=True)
    incoming = Path(tempfile.mkdtemp(prefix="copy-", dir=output))
    incoming.chmod(0o755)
    try:
        with console.status("Copying open marts"), duckdb.connect() as connection:
            warehouse.attach(connection)
            marts = open_marts(warehouse, connection)
            write_database(connection, marts, incoming / "moderation_quality.duckdb")
            write_files(connection, marts, incoming)
            package = data_package(marts, generated_at)
            (incoming / "datapackage.json").write_text(
                json.dumps(package, indent=2) + "\n", encoding="utf-8"
            )
            write_workbook(
                connection, marts, incoming / "weekly.xlsx",
                datetime.fromisoformat(generated_at).replace(tzinfo=None),
            )  # fmt: skip
            write_definitions(connection, marts, incoming, manifest)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    latest = put(output, incoming)
    console.print(f"{len(marts)} tables: {latest}")
    if not tableau.installed():
        console.print("No data source for Tableau: `make export TABLEAU=1` installs what it needs.")


if __name__ == "__main__":
    main()
