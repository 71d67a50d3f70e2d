"""The semantic model of the Power BI project, as TMDL: a star over the cubes, and its measures.

Columns of the cubes are hidden and never summarised, and implicit measures are off: a rate can be
had from its measure alone, so that nobody takes the mean of rates.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from statistics import NormalDist
from typing import NamedTuple

from exporting.definitions import Metric, Sum

# {column: (type of DuckDB, description)} of a mart.
Columns = dict[str, tuple[str, str]]

# The same name has the same identity in every build and on every machine.
NAMESPACE = uuid.UUID("5b6b8a53-5f0e-5d0c-9d57-0a4f5a3d8c11")
TYPES = {
    "VARCHAR": "string", "BIGINT": "int64", "INTEGER": "int64", "DOUBLE": "double",
    "BOOLEAN": "boolean", "DATE": "dateTime", "TIMESTAMP": "dateTime",
}  # fmt: skip
FORMATS = {"percent": "0.0%", "integer": "#,0", "decimal": "#,0.00"}
FOLDER = r"C:\moderation_quality\parquet"


class Dimension(NamedTuple):
    """A table that filters the facts.

    Attributes:
        key: the column that facts have too.
        columns: {column of the facts: its name here}, the key first.
    """

    name: str
    description: str
    key: str
    columns: dict[str, str]


DIMENSIONS = (
    Dimension("Months", "Months of decisions.", "month_starts_on",
              {"month_starts_on": "Month"}),
    Dimension("Queues", "Queues, by the name that they have now.", "queue_id",
              {"queue_id": "Queue id", "queue_name": "Queue"}),
    Dimension("Policies", "Parent policies by the policy decided. Rates of misses have none: they "
              "are in the row Not by policy. Cells of few people are in the row Withheld.",
              "policy_parent_id",
              {"policy_parent_id": "Parent policy id", "policy_parent_name": "Parent policy"}),
    Dimension("Deciders", "Who decided: people, automation or the system.", "decided_by_type",
              {"decided_by_type": "Decided by"}),
)  # fmt: skip


class Measure(NamedTuple):
    """A measure, in the table that it sums.

    Attributes:
        id: the id of its metric, or one like it.
        format: percent, decimal or integer.
        folder: where the list of fields shows it.
    """

    id: str
    table: str
    name: str
    description: str
    dax: str
    format: str
    folder: str


def model(
    metrics: list[Metric], marts: dict[str, Columns], confidence_level: float
) -> dict[str, str]:
    """The files of the model's folder `definition`, {path: text}.

    Args:
        metrics: what the semantic layer defines.
        marts: the columns of each mart that is copied.
        confidence_level: of the interval of accuracy.

    Raises:
        ValueError: a metric reads what is not copied, or two measures have one name.
    """
    measures = measures_of(metrics, confidence_level)
    facts = sorted({measure.table for measure in measures})
    for metric in metrics:
        for part in (metric.numerator, metric.denominator or metric.numerator):
            if part.column not in marts.get(part.table, {}):
                raise ValueError(f"{metric.name} reads {part.table}.{part.column}: not copied.")
    names = [measure.name.casefold() for measure in measures]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Two measures have one name: {', '.join(twice)}.")
    files = {
        "database.tmdl": "database\n\tcompatibilityLevel: 1600\n",
        "model.tmdl": _model([*facts, *(dimension.name for dimension in DIMENSIONS)]),
        "expressions.tmdl": _expressions(),
        "relationships.tmdl": "\n".join(_relationships(facts, marts)),
    }
    for fact in facts:
        own = [measure for measure in measures if measure.table == fact]
        files[f"tables/{fact}.tmdl"] = _fact(fact, marts[fact], own)
    for dimension in DIMENSIONS:
        having = [fact for fact in facts if dimension.key in marts[fact]]
        files[f"tables/{dimension.name}.tmdl"] = _dimension(dimension, having, marts)
    return files


# --- measures ----------------------------------------------------------------------------------


def measures_of(metrics: list[Metric], confidence_level: float) -> list[Measure]:
    """A measure a metric, the audits behind accuracy, and its interval."""
    found = [
        Measure(metric.name, metric.numerator.table, metric.label, metric.description,
                dax(metric), metric.format, "Counts" if metric.denominator is None else "Rates")
        for metric in metrics
    ]  # fmt: skip
    audits = Measure(
        "audits", "accuracy_cube", "Audits",
        "Audits that accuracy rests on. A rate of a few audits says little: look here first.",
        "SUM ( accuracy_cube[n_audits] )", "integer", "Counts",
    )  # fmt: skip
    percent = f"{100 * confidence_level:g} %"
    return [
        *found,
        audits,
        *(
            Measure(
                f"accuracy_{side}", "accuracy_cube", f"Accuracy interval {side}",
                f"The {end} end of the {percent} interval of accuracy, of any rows together. "
                "Intervals of parts cannot be added or averaged: take this measure of the whole. "
                "Published intervals, in headline and accuracy_rates, know the strata of the "
                "audit plan too, and are a little different.",
                _bound(side, confidence_level), "percent", "Interval",
            )
            for side, end in (("low", "lower"), ("high", "upper"))
        ),
    ]  # fmt: skip


def dax(metric: Metric) -> str:
    """The formula of a metric: sums first, then the division, of the metric's own rows."""
    formula = _sum(metric.numerator)
    if metric.denominator is not None:
        formula = f"DIVIDE (\n\t{formula},\n\t{_sum(metric.denominator)}\n)"
    if not metric.only:
        return formula
    filters = [
        f"\t{metric.numerator.table}[{column}] = {_literal(value)}"
        for column, value in metric.only.items()
    ]
    return "\n".join(["CALCULATE (", _indented(formula, 1) + ",", ",\n".join(filters), ")"])


def _sum(part: Sum) -> str:
    """A column, added up."""
    total = f"SUM ( {part.table}[{part.column}] )"
    return total if part.divisor == 1 else f"{total} / {part.divisor:.15g}"


def _literal(value: str | int) -> str:
    """A value as DAX writes it."""
    return str(value) if isinstance(value, int) else '"' + value.replace('"', '""') + '"'


def _bound(side: str, confidence_level: float) -> str:
    """One end of the interval of accuracy: macro cube_bound, in DAX.

    Wilson's interval on an effective n, the smaller of what the weights and what the errors say.
    DAX takes what is blank for 0 in a comparison, hence the order of the tests.
    """
    z2 = NormalDist().inv_cdf((1 + confidence_level) / 2) ** 2
    sign, nearer, inside = {
        "low": ("-", "MIN", "MAX ( Bound, 0 )"),
        "high": ("+", "MAX", "MIN ( Bound, 1 )"),
    }[side]
    return f"""\
VAR Denominator = SUM ( accuracy_cube[weighted_denominator] )
VAR Share = DIVIDE ( SUM ( accuracy_cube[weighted_numerator] ), Denominator )
VAR OfCorrect = SUM ( accuracy_cube[spread_of_correct] )
VAR OfWrong = SUM ( accuracy_cube[spread_of_wrong] )
VAR ByPlan = DIVIDE ( Denominator ^ 2, OfCorrect + OfWrong )
VAR ByErrors =
	DIVIDE (
		Share * ( 1 - Share ) * Denominator ^ 2,
		( 1 - Share ) ^ 2 * OfCorrect + Share ^ 2 * OfWrong
	)
VAR EffectiveN = IF ( ByErrors = 0, ByPlan, MIN ( ByErrors, ByPlan ) )
VAR Spread = DIVIDE ( {z2!r}, EffectiveN )
VAR Root = MAX ( Spread * ( Share * ( 1 - Share ) + Spread / 4 ), 0 )
VAR Bound = ( Share + Spread / 2 {sign} SQRT ( Root ) ) / ( 1 + Spread )
RETURN
	IF ( NOT ISBLANK ( Share ) && EffectiveN > 0, {nearer} ( {inside}, Share ) )"""


# --- TMDL --------------------------------------------------------------------------------------


def identity(*names: str) -> str:
    """The same UUID for the same names."""
    return str(uuid.uuid5(NAMESPACE, "/".join(names)))


def _quoted(name: str) -> str:
    """A name as TMDL writes it."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else "'" + name.replace("'", "''") + "'"


def _indented(text: str, depth: int) -> str:
    return "\n".join("\t" * depth + line for line in text.split("\n"))


def _described(text: str, depth: int) -> list[str]:
    """A description, which stands above what it describes."""
    return ["\t" * depth + f"/// {line}" for line in text.splitlines() if line.strip()]


def _model(tables: list[str]) -> str:
    """The model itself: no implicit measures, no hidden calendars."""
    return "\n".join(
        [
            "model Model",
            "\tculture: en-US",
            "\tdefaultPowerBIDataSourceVersion: powerBI_V3",
            "\tdiscourageImplicitMeasures",
            "\tsourceQueryCulture: en-US",
            "",
            "annotation __PBI_TimeIntelligenceEnabled = 0",
            "",
            *(f"ref table {_quoted(table)}" for table in tables),
            "",
        ]
    )


def _expressions() -> str:
    """The one parameter."""
    return "\n".join(
        [
            *_described("The folder parquet of a copy that `make export` wrote.", 0),
            f'expression Folder = "{FOLDER}" meta '
            '[IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]',
            f"\tlineageTag: {identity('Folder')}",
            "",
            "\tannotation PBI_ResultType = Text",
            "",
        ]
    )


def _relationships(facts: list[str], marts: dict[str, Columns]) -> Iterator[str]:
    """Each fact with each dimension whose key it has."""
    for fact in facts:
        for dimension in DIMENSIONS:
            if dimension.key in marts[fact]:
                to = f"{_quoted(dimension.name)}.{_quoted(dimension.columns[dimension.key])}"
                yield f"relationship {identity('relationship', fact, dimension.name)}"
                yield f"\tfromColumn: {_quoted(fact)}.{_quoted(dimension.key)}"
                yield f"\ttoColumn: {to}"
                yield ""


def _fact(name: str, columns: Columns, measures: list[Measure]) -> str:
    """A cube: hidden columns, and measures."""
    described = f"Measures of {name}. Its columns are hidden: they are right only inside measures."
    lines = [*_described(described, 0), f"table {_quoted(name)}"]
    lines += [f"\tlineageTag: {identity(name)}", ""]
    for measure in measures:
        lines += _measure(measure)
    for column, (kind, text) in columns.items():
        lines += _column(name, column, kind, text, source=column, hidden=True)
    lines += _partition(
        name,
        'Parquet.Document ( File.Contents ( Text.TrimEnd ( Folder, { "\\", "/" } ) '
        f'& "\\{name}.parquet" ) )',
    )
    return "\n".join(lines)


def _dimension(dimension: Dimension, facts: list[str], marts: dict[str, Columns]) -> str:
    """The keys that any fact has, once each.

    Not read from the marts of queues and policies: facts have keys that these lack, such as
    `withheld`, and Power BI would show them as blank.
    """
    lines = [*_described(dimension.description, 0), f"table {_quoted(dimension.name)}"]
    lines += [f"\tlineageTag: {identity(dimension.name)}", ""]
    for source, name in dimension.columns.items():
        kind, text = marts[facts[0]][source]
        lines += _column(dimension.name, name, kind, text, source=source, hidden=False)
    keys = ", ".join(f'"{column}"' for column in dimension.columns)
    rows = ",\n".join(f"\t\tTable.SelectColumns ( {fact}, {{ {keys} }} )" for fact in facts)
    lines += _partition(
        dimension.name,
        f'Table.Distinct (\n\tTable.Combine ( {{\n{rows}\n\t}} ),\n\t{{ "{dimension.key}" }}\n)',
    )
    return "\n".join(lines)


def _measure(measure: Measure) -> Iterable[str]:
    """A measure, its formula on lines of their own."""
    return [
        *_described(measure.description, 1),
        f"\tmeasure {_quoted(measure.name)} =",
        _indented(measure.dax, 3),
        f"\t\tformatString: {FORMATS[measure.format]}",
        f"\t\tdisplayFolder: {measure.folder}",
        f"\t\tlineageTag: {identity('measure', measure.name)}",
        "",
    ]


def _column(
    table: str, name: str, kind: str, description: str, *, source: str, hidden: bool
) -> Iterable[str]:
    """A column, which nothing summarises."""
    is_date = kind == "DATE"
    return [
        *_described(description, 1),
        f"\tcolumn {_quoted(name)}",
        f"\t\tdataType: {TYPES[kind]}",
        *(["\t\tisHidden"] if hidden else []),
        *(["\t\tformatString: mmm yyyy"] if is_date else []),
        f"\t\tlineageTag: {identity('column', table, name)}",
        "\t\tsummarizeBy: none",
        f"\t\tsourceColumn: {source}",
        "",
        "\t\tannotation SummarizationSetBy = User",
        "",
        *(["\t\tannotation UnderlyingDateTimeDataType = Date", ""] if is_date else []),
    ]


def _partition(table: str, source: str) -> Iterable[str]:
    """Where the rows of a table come from, in M."""
    return [
        f"\tpartition {_quoted(table)} = m",
        "\t\tmode: import",
        "\t\tsource =",
        _indented(f"let\n\tRows =\n{_indented(source, 2)}\nin\n\tRows", 4),
        "",
    ]
