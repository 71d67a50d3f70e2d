"""The metrics that add up, as the semantic layer defines them, for tools that have none of it."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

# What dbt writes for MetricFlow, beside its manifest.
SEMANTIC_MANIFEST = "semantic_manifest.json"
CONDITION = re.compile(r"\{\{ Dimension\('\w+__(\w+)'\) \}\} = ('[^']*'|\d+)")
EXPRESSION = re.compile(r"(\w+)(?: / ([\d.]+))?")


class Sum(NamedTuple):
    """A column of a mart that may be added over any of its rows.

    Attributes:
        table: the mart.
        divisor: what the sum is divided by, 1 as a rule.
    """

    name: str
    label: str
    description: str
    table: str
    column: str
    divisor: float


class Metric(NamedTuple):
    """A sum, or a sum over a sum.

    Attributes:
        format: percent, decimal or integer.
        owner: who answers for it, "" for a count.
        denominator: None if the metric is its numerator.
        only: {column: value} of the rows that it is about, of the same mart.
    """

    name: str
    label: str
    description: str
    format: str
    owner: str
    numerator: Sum
    denominator: Sum | None
    only: dict[str, str | int]


def definitions(semantic_manifest: Path) -> list[Metric]:
    """The metrics of a project, rates first.

    Sums that a rate divides are left out: the rate names them itself.

    Raises:
        ValueError: a metric is neither a sum nor a ratio of sums, or its filter is not a list of
            equalities: a BI tool would show another number.
    """
    manifest = json.loads(semantic_manifest.read_text(encoding="utf-8"))
    sums = {
        measure["name"]: _sum(model, measure)
        for model in manifest["semantic_models"]
        for measure in model["measures"]
    }
    parts_of_rates = {
        metric["type_params"][part]["name"]
        for metric in manifest["metrics"]
        if metric["type"] == "ratio"
        for part in ("numerator", "denominator")
    }
    found = []
    for metric in manifest["metrics"]:
        parameters, meta = metric["type_params"], metric["config"]["meta"]
        of = (metric["name"], metric["label"], metric["description"])
        if metric["type"] == "ratio":
            parts = [sums[parameters[part]["name"]] for part in ("numerator", "denominator")]
            found.append(Metric(*of, meta["format"], meta["owner"], *parts, _only(metric)))
        elif metric["type"] == "simple":
            part = sums[parameters["measure"]["name"]]
            if metric["name"] not in parts_of_rates:
                found.append(Metric(*of, "integer", "", part, None, _only(metric)))
        else:
            raise ValueError(f"{metric['name']} is {metric['type']}: a BI tool has no such metric.")
    return sorted(found, key=lambda metric: metric.denominator is None)


def _sum(model: dict[str, Any], measure: dict[str, Any]) -> Sum:
    """A measure of a semantic model."""
    expression = EXPRESSION.fullmatch(measure["expr"] or measure["name"])
    if measure["agg"] != "sum" or not expression:
        raise ValueError(f"{measure['name']} is not the sum of a column.")
    column, divisor = expression.groups()
    return Sum(
        measure["name"], measure["label"], measure["description"],
        model["node_relation"]["alias"], column, float(divisor or 1),
    )  # fmt: skip


def _only(metric: dict[str, Any]) -> dict[str, str | int]:
    """The rows that a metric is about."""
    only: dict[str, str | int] = {}
    for one in (metric["filter"] or {"where_filters": []})["where_filters"]:
        for condition in one["where_sql_template"].split(" and "):
            equality = CONDITION.fullmatch(condition.strip())
            if not equality:
                raise ValueError(
                    f"{metric['name']} is filtered by more than equalities: {condition}"
                )
            column, value = equality.groups()
            only[column] = value[1:-1] if value.startswith("'") else int(value)
    return only
