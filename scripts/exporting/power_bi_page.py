"""The landing page of the Power BI project, as PBIR: JSON that Power BI Desktop opens and edits."""

from typing import Any

from exporting.power_bi_model import DIMENSIONS, Measure

Json = dict[str, Any]

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
REPORT = f"{SCHEMAS}/item/report"
NAME = "accuracy"
WIDTH, HEIGHT = 1280, 720
NEVER = (
    "Never average a rate: not over months, not over queues, not over policies. "
    "Every number here divides sums of the rows that are chosen, so take the measure again "
    "with the slicers set as you need it. The same holds for intervals and targets. "
    "Look at Audits before you read a rate."
)


def page(measures: list[Measure]) -> dict[str, Json]:
    """The files of the report's folder `definition`, {path: content}.

    Args:
        measures: those of the model, from which visuals take theirs by name.
    """
    of = {measure.name: _measure(measure) for measure in measures}
    by_name = {
        name: _column(dimension.name, name)
        for dimension in DIMENSIONS
        for name in dimension.columns.values()
    }
    accuracy, target = of["Accuracy"], of["Target of accuracy"]
    bounds = [of["Accuracy interval low"], of["Accuracy interval high"]]
    visuals = [
        _visual("months", "slicer", (24, 24, 300, 90), "Month", {"Values": [by_name["Month"]]}),
        _visual("queues", "slicer", (340, 24, 300, 90), "Queue", {"Values": [by_name["Queue"]]}),
        _visual("card", "card", (656, 24, 240, 90), "Accuracy of what is chosen",
                {"Values": [accuracy]}),
        _text("never", (912, 24, 344, 170), NEVER),
        _visual("by_month", "lineChart", (24, 130, 872, 270), "Accuracy and its target, by month",
                {"Category": [by_name["Month"]], "Y": [accuracy, target]}),
        _visual("by_queue", "tableEx", (24, 416, 1232, 280), "Accuracy by queue",
                {"Values": [by_name["Queue"], accuracy, *bounds, target, of["Audits"],
                            of["Eligible decisions"]]}),
        _visual("errors", "clusteredBarChart", (912, 210, 344, 190), "Wrong decisions by queue",
                {"Category": [by_name["Queue"]],
                 "Y": [of["False positives"], of["False negatives"]]}),
    ]  # fmt: skip
    files: dict[str, Json] = {
        "version.json": {
            "$schema": f"{REPORT}/definition/versionMetadata/1.0.0/schema.json",
            "version": "2.0.0",
        },
        "report.json": {
            "$schema": f"{REPORT}/definition/report/3.0.0/schema.json",
            "themeCollection": {},
        },
        "pages/pages.json": {
            "$schema": f"{REPORT}/definition/pagesMetadata/1.0.0/schema.json",
            "pageOrder": [NAME],
            "activePageName": NAME,
        },
        f"pages/{NAME}/page.json": {
            "$schema": f"{REPORT}/definition/page/2.0.0/schema.json",
            "name": NAME,
            "displayName": "Accuracy",
            "displayOption": "FitToPage",
            "height": HEIGHT,
            "width": WIDTH,
        },
    }
    for place, visual in enumerate(visuals):
        visual["position"] |= {"z": place, "tabOrder": place}
        files[f"pages/{NAME}/visuals/{visual['name']}/visual.json"] = visual
    return files


def _measure(measure: Measure) -> Json:
    """A measure in a visual."""
    return _field("Measure", measure.table, measure.name)


def _column(table: str, name: str) -> Json:
    """A column of a dimension in a visual."""
    return _field("Column", table, name)


def _field(kind: str, table: str, name: str) -> Json:
    return {
        "field": {kind: {"Expression": {"SourceRef": {"Entity": table}}, "Property": name}},
        "queryRef": f"{table}.{name}",
        "nativeQueryRef": name,
    }


def _literal(text: str) -> Json:
    """A text as formats of visuals hold it."""
    return {"expr": {"Literal": {"Value": "'" + text.replace("'", "''") + "'"}}}


def _container(name: str, place: tuple[int, int, int, int], visual: Json) -> Json:
    x, y, width, height = place
    return {
        "$schema": f"{REPORT}/definition/visualContainer/2.0.0/schema.json",
        "name": name,
        "position": {"x": x, "y": y, "width": width, "height": height},
        "visual": visual,
    }


def _visual(
    name: str, kind: str, place: tuple[int, int, int, int], title: str, roles: dict[str, list[Json]]
) -> Json:
    """A visual with a title, which a screen reader says too."""
    visual = {
        "visualType": kind,
        "query": {"queryState": {role: {"projections": fields} for role, fields in roles.items()}},
        "visualContainerObjects": {
            "title": [
                {
                    "properties": {
                        "show": {"expr": {"Literal": {"Value": "true"}}},
                        "text": _literal(title),
                    }
                }
            ],
            "general": [{"properties": {"altText": _literal(title)}}],
        },
        "drillFilterOtherVisuals": True,
    }
    return _container(name, place, visual)


def _text(name: str, place: tuple[int, int, int, int], text: str) -> Json:
    """A text box."""
    runs = [{"value": text, "textStyle": {"fontSize": "12pt"}}]
    visual = {
        "visualType": "textbox",
        "objects": {"general": [{"properties": {"paragraphs": [{"textRuns": runs}]}}]},
    }
    return _container(name, place, visual)
