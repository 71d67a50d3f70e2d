"""The metrics as a data source of Tableau: one table of sums, and fields that divide them.

A row is a cell of the cubes (month, queue, parent policy, who decided), a column one part of one
metric. The parts are hidden, and each metric is a calculated field over their sums: whatever is
dragged or filtered, the rate is that of all rows together, and no rate is there to be averaged.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

import duckdb
from warehouse import quoted

from exporting.definitions import Metric, Sum

if TYPE_CHECKING:
    from export import Mart

NAME = "moderation_quality"
CAPTION = "Moderation quality"
# Where Tableau looks for the data: in the package, and beside the .tds alike.
HYPER = f"Data/{NAME}.hyper"
TABLE = "Extract"  # schema and table, as in extracts that Tableau makes
# Of a cell, as the semantic layer calls them.
DIMENSIONS = {
    "month_starts_on": "Month",
    "queue_name": "Queue",
    "policy_parent_name": "Parent policy",
    "decided_by_type": "Decided by",
    "queue_id": "Queue id",
    "policy_parent_id": "Parent policy id",
}
# The metric whose interval follows from columns that add up, and these: {part: column}.
INTERVAL_OF = "accuracy"
SPREADS = {"correct": "spread_of_correct", "wrong": "spread_of_wrong"}
CUBE = "accuracy_cube"
RATES, INTERVAL, COUNTS = "Rates", "Interval of accuracy", "Counts"
AUDITS, PARTS = "Audits behind a rate", "Parts of rates"
FORMATS = {"percent": "p0.0%", "decimal": "n#,##0.00;-#,##0.00", "integer": "n#,##0;-#,##0"}
# Of DuckDB: what Tableau calls it, and its number in OLE DB.
TYPES = {
    "VARCHAR": ("string", 129), "BIGINT": ("integer", 20), "DOUBLE": ("real", 5),
    "DATE": ("date", 133),
}  # fmt: skip


class Part(NamedTuple):
    """A column of the table that is summed in fields, and hidden.

    Attributes:
        table: the mart that it is from, and its column there.
        only: {column: value} of the rows of the mart that it is about.
        type: of DuckDB.
    """

    name: str
    label: str
    description: str
    table: str
    column: str
    only: Mapping[str, str | int]
    type: str


class Field(NamedTuple):
    """A calculated field.

    Attributes:
        folder: None: only other fields use it, and it is hidden.
    """

    name: str
    label: str
    description: str
    format: str
    formula: str
    folder: str | None


def installed() -> bool:
    """Whether requirements/tableau.txt is."""
    return find_spec("tableauhyperapi") is not None


def write(
    connection: duckdb.DuckDBPyConnection,
    marts: dict[str, Mart],
    metrics: list[Metric],
    confidence_level: float,
    folder: Path,
) -> None:
    """Write the data source: a .tds, its .hyper file, and both packed as .tdsx.

    Args:
        connection: it reads the marts.
        marts: the open marts, by name.
        metrics: from exporting.definitions.
        confidence_level: of the interval.
        folder: where to; it is made.

    Raises:
        ValueError: a metric is of a mart that is not open or has no such cells.
    """
    parts = parts_of(metrics, marts)
    tds, hyper = folder / f"{NAME}.tds", folder / HYPER
    hyper.parent.mkdir(parents=True)
    write_hyper(connection, select(parts, marts), hyper)
    fields = fields_of(metrics, parts, confidence_level)
    tds.write_bytes(document(parts, fields, marts[CUBE]))
    with zipfile.ZipFile(folder / f"{NAME}.tdsx", "w", zipfile.ZIP_DEFLATED) as package:
        package.write(tds, tds.name)
        package.write(hyper, HYPER)


def parts_of(metrics: list[Metric], marts: dict[str, Mart]) -> dict[str, Part]:
    """The columns that metrics sum, by name: theirs, their audits, and those of the interval.

    Raises:
        ValueError: a metric is of a mart that is not open or has no such cells, or two columns have
            one name.
    """
    found: dict[str, Part] = {}

    def add(
        name: str,
        label: str,
        table: str,
        column: str,
        *,
        only: dict[str, str | int],
        text: str = "",
    ) -> None:
        if table not in marts or not {column, *DIMENSIONS, *only} <= set(marts[table].columns):
            raise ValueError(
                f"{name} is of {table}, which is not an open mart with {', '.join(DIMENSIONS)}: "
                "Tableau's data source has no place for it."
            )
        type_, described = marts[table].columns[column]
        # A caption is of one field, and the metric has the plain one.
        part = Part(name, f"{label} (part)", text or described, table, column, only, type_)
        if found.setdefault(name, part)[3:] != part[3:]:
            raise ValueError(f"{name} would be of {found[name].table} and of {table}.")

    for metric in metrics:
        table, only = metric.numerator.table, metric.only
        for which, of in sums_of(metric).items():
            label = f"{metric.label}: {of.label.lower()}" if only else of.label
            add(
                part_name(metric, which), label, of.table, of.column, only=only, text=of.description
            )
        if only and "n" in marts[table].columns:
            add(f"{metric.name}_n", f"{metric.label}: audits", table, "n", only=only)
    if any(metric.name == INTERVAL_OF for metric in metrics):
        for column in SPREADS.values():
            add(column, column.replace("_", " ").capitalize(), CUBE, column, only={})
    return found


def sums_of(metric: Metric) -> dict[str, Sum]:
    """The sums of a metric: one, or two."""
    sums = {"numerator": metric.numerator, "denominator": metric.denominator}
    return {which: of for which, of in sums.items() if of}


def part_name(metric: Metric, which: str) -> str:
    """The column of a part: of some rows of a mart the metric's own, of all its column's name."""
    return f"{metric.name}_{which}" if metric.only else sums_of(metric)[which].column


def select(parts: dict[str, Part], marts: dict[str, Mart]) -> str:
    """SQL of the table: a row a cell, a column a part. A cell has no value of a mart without it."""
    cell = ", ".join(DIMENSIONS)
    of_tables: dict[str, list[str]] = {}
    for part in parts.values():
        rows = " and ".join(
            f"{column} = {quoted(value) if isinstance(value, str) else value}"
            for column, value in part.only.items()
        )
        one = f"sum({part.column}) filter (where {rows or 'true'}) as {part.name}"
        of_tables.setdefault(part.table, []).append(one)
    tables = " union all by name ".join(
        f"select {cell}, {', '.join(columns)} from {marts[table].relation} group by all"
        for table, columns in of_tables.items()
    )
    sums = ", ".join(f"cast(sum({name}) as {part.type}) as {name}" for name, part in parts.items())
    return f"select {cell}, {sums} from ({tables}) group by all order by {cell}"


def write_hyper(connection: duckdb.DuckDBPyConnection, sql: str, file: Path) -> None:
    """The rows of a query as the table of a Hyper file.

    Parquet carries them: types are kept, and Hyper reads it at once rather than row by row.
    """
    # Optional: whoever exports nothing for Tableau need not have it.
    import tableauhyperapi as api  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as aside:
        rows = Path(aside) / "rows.parquet"
        connection.execute(f"copy ({sql}) to {quoted(rows)} (format parquet)")
        # Else it leaves a log file in the working directory.
        parameters = {"log_config": ""}
        no_usage_data = api.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU
        with (
            api.HyperProcess(no_usage_data, parameters=parameters) as process,
            api.Connection(process.endpoint, file, api.CreateMode.CREATE_AND_REPLACE) as hyper,
        ):
            hyper.catalog.create_schema(TABLE)
            hyper.execute_command(
                f"create table {api.TableName(TABLE, TABLE)} as "
                f"(select * from external({api.escape_string_literal(str(rows))}))"
            )
    # Hyper lets its own user alone read it.
    file.chmod(0o644)


def fields_of(metrics: list[Metric], parts: dict[str, Part], level: float) -> list[Field]:
    """The calculated fields: of each metric, of the audits behind it, and of the interval."""
    found = []
    for metric in metrics:
        text = f"{metric.description} Owner: {metric.owner}." if metric.owner else ""
        folder = RATES if metric.denominator else COUNTS
        found.append(Field(metric.name, metric.label, text or metric.description, metric.format,
                           formula_of(metric), folder))  # fmt: skip
        if audits := parts.get(f"{metric.name}_n"):
            found.append(Field(f"{metric.name}_audits", f"{metric.label}: audits",
                               audits.description, "integer", f"SUM([{audits.name}])", AUDITS)
                         )  # fmt: skip
        if metric.name == INTERVAL_OF:
            found.extend(interval(metric, level))
    return found


def formula_of(metric: Metric) -> str:
    """A metric in Tableau's language: sum over sum, nothing where there is none to divide by."""
    total = {
        which: f"SUM([{part_name(metric, which)}])"
        if of.divisor == 1
        else f"(SUM([{part_name(metric, which)}]) / {of.divisor:.15g})"
        for which, of in sums_of(metric).items()
    }
    if metric.denominator is None:
        return total["numerator"]
    return "IF {denominator} > 0 THEN {numerator} / {denominator} END".format(**total)


def interval(metric: Metric, level: float) -> list[Field]:
    """The interval of accuracy by macro cube_bound, step by step, so that it can be read."""
    rate, spread = f"[{metric.name}]", f"[{metric.name}_spread]"
    plan, errors, n = (f"[{metric.name}_{name}]" for name in ("n_of_plan", "n_of_errors", "n_eff"))
    weight = f"SUM([{part_name(metric, 'denominator')}])"
    correct, wrong = (f"SUM([{column}])" for column in SPREADS.values())
    variance = f"POWER(1 - {rate}, 2) * {correct} + POWER({rate}, 2) * {wrong}"
    root = f"SQRT(MAX({spread} * ({rate} * (1 - {rate}) + {spread} / 4), 0))"

    def bound(sign: str) -> str:
        return f"({rate} + {spread} / 2 {sign} {root}) / (1 + {spread})"

    steps = {
        plan: ("Effective n of the plan", "Kish's: what unequal weights leave.",
               f"IF {correct} + {wrong} > 0 THEN POWER({weight}, 2) / ({correct} + {wrong}) END"),
        errors: ("Effective n of the errors", "What the weights of the errors found leave.",
                 f"IF {variance} > 0 THEN "
                 f"{rate} * (1 - {rate}) * POWER({weight}, 2) / ({variance}) END"),
        n: ("Effective n", "The smaller of both.",
            f"IF {errors} <> 0 AND {errors} < {plan} THEN {errors} ELSE {plan} END"),
        spread: ("Spread", "z² over the effective n.",
                 f"IF {n} > 0 THEN {NormalDist().inv_cdf((1 + level) / 2) ** 2!r} / {n} END"),
    }  # fmt: skip
    said = (
        f"Bound of the {level:.0%} interval of the accuracy of all rows together (Wilson's, from "
        "sums), as of audits drawn one by one. The published interval knows the strata: it is in "
        "headline."
    )
    bounds = {
        "low": ("lower", f"IF {spread} > 0 THEN MIN(MAX({bound('-')}, 0), {rate}) END"),
        "high": ("upper", f"IF {spread} > 0 THEN MAX(MIN({bound('+')}, 1), {rate}) END"),
    }
    return [
        Field(name[1:-1], f"{metric.label}: {label.lower()}", text, "decimal", formula, None)
        for name, (label, text, formula) in steps.items()
    ] + [
        Field(f"{metric.name}_{side}", f"{metric.label}: {label} bound", said, metric.format,
              formula, INTERVAL)
        for side, (label, formula) in bounds.items()
    ]  # fmt: skip


def document(parts: dict[str, Part], fields: list[Field], cell: Mart) -> bytes:
    """The .tds.

    Args:
        parts: the columns that are summed.
        fields: the calculated fields.
        cell: a mart with the dimensions: their types and descriptions.
    """
    source = ET.Element(
        "datasource", {"formatted-name": NAME, "caption": CAPTION, "inline": "true",
                       "source-platform": "win", "version": "18.1"},
    )  # fmt: skip
    types = {name: cell.columns[name][0] for name in DIMENSIONS}
    types |= {part.name: part.type for part in parts.values()}
    source.append(connected(types))
    ET.SubElement(source, "aliases", {"enabled": "yes"})
    for name, label in DIMENSIONS.items():
        type_, text = cell.columns[name]
        place = {"role": "dimension", "type": "ordinal" if type_ == "DATE" else "nominal"}
        add_column(source, name, label, text, kind=place | {"datatype": TYPES[type_][0]})
    measure = {"role": "measure", "type": "quantitative"}
    for part in parts.values():
        kind = {"aggregation": "Sum", "datatype": TYPES[part.type][0], "hidden": "true"}
        add_column(source, part.name, part.label, part.description, kind=measure | kind)
    for field in fields:
        kind = measure | {"datatype": "real", "default-format": FORMATS[field.format]}
        kind |= {} if field.folder else {"hidden": "true"}
        add_column(source, *field[:3], kind=kind, formula=field.formula)
    folders = ET.SubElement(source, "folders-common")
    for folder in (RATES, INTERVAL, COUNTS, AUDITS):
        add_folder(folders, folder, [field.name for field in fields if field.folder == folder])
    add_folder(folders, PARTS, [*parts, *(field.name for field in fields if not field.folder)])
    ET.SubElement(source, "layout", {"dim-ordering": "alphabetic", "measure-ordering": "alphabetic",
                                     "show-structure": "true"})  # fmt: skip
    ET.indent(source)
    return ET.tostring(source, encoding="utf-8", xml_declaration=True) + b"\n"


def connected(types: dict[str, str]) -> ET.Element:
    """How to reach the table, and its columns with their types of DuckDB."""
    connection = ET.Element("connection", {"class": "federated"})
    named = ET.SubElement(
        ET.SubElement(connection, "named-connections"), "named-connection",
        {"caption": NAME, "name": f"hyper.{NAME}"},
    )  # fmt: skip
    ET.SubElement(named, "connection", {
        "authentication": "auth-none", "class": "hyper", "dbname": HYPER, "default-settings": "yes",
        "schema": TABLE, "server": "", "sslmode": "", "tablename": TABLE,
        "username": "tableau_internal_user",
    })  # fmt: skip
    ET.SubElement(connection, "relation", {"connection": f"hyper.{NAME}", "name": TABLE,
                                           "table": f"[{TABLE}].[{TABLE}]", "type": "table"},
                  )  # fmt: skip
    records = ET.SubElement(connection, "metadata-records")
    for place, (name, type_) in enumerate(types.items()):
        record = ET.SubElement(records, "metadata-record", {"class": "column"})
        local, number = TYPES[type_]
        for key, value in {
            "remote-name": name, "remote-type": number, "local-name": f"[{name}]",
            "parent-name": f"[{TABLE}]", "remote-alias": name, "ordinal": place,
            "local-type": local,
            "aggregation": {"string": "Count", "date": "Year"}.get(local, "Sum"),
            "contains-null": "true",
        }.items():  # fmt: skip
            ET.SubElement(record, key).text = str(value)
    return connection


def add_column(
    source: ET.Element, name: str, label: str, text: str, *, kind: dict[str, str], formula: str = ""
) -> None:
    """Add a column of the table, or a calculated field."""
    found = ET.SubElement(source, "column", {"caption": label, "name": f"[{name}]"} | kind)
    if formula:
        ET.SubElement(found, "calculation", {"class": "tableau", "formula": formula})
    said = ET.SubElement(ET.SubElement(found, "desc"), "formatted-text")
    ET.SubElement(said, "run").text = " ".join(text.split())


def add_folder(folders: ET.Element, name: str, of: list[str]) -> None:
    """Add a folder of the Data pane."""
    folder = ET.SubElement(folders, "folder", {"name": name})
    for one in of:
        ET.SubElement(folder, "folder-item", {"name": f"[{one}]", "type": "field"})
