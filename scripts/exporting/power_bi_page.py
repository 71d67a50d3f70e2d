"""The landing page of the Power BI project, as PBIR: JSON that Power BI Desktop opens and edits."""

from typing import Any

from exporting.power_bi_model import DIMENSIONS, Measure

Json = dict[str, Any]

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
REPORT = f"{SCHEMAS}/item/report"
NAME = "accuracy"
WIDTH, HEIGHT = 1280, 720
NEVER = (
    "Never average a rate, a target or an interval over months, queues or policies: choose what "
    "you mean, and read the measure of it. Look at Audits before you read a rate."
)


def page(measures: list[Measure]) -> dict[str, Json]:
    """The files of the report's folder `definition`, {path: content}.

    Args:
        measures: those of the model.
    """
    of = {measure.id: _field("Measure", measure.table, measure.name) for measure in measures}
    month, queue = (_column(name) for name in ("Month", "Queue"))
    accuracy, target = of["accuracy"], of["target_accuracy"]
    shown = [of[name] for name in ("accuracy_low", "accuracy_high")]
    shown += [target, *(of[name] for name in ("audits", "eligible_decisions"))]
    visuals = [
        _slicer("months", (24, 24, 240, 90), "Month", month),
        _slicer("queues", (280, 24, 240, 90), "Queue", queue),
        _visual("card", "card", (536, 24, 240, 90), "Accuracy of what is chosen",
                {"Values": [accuracy]}),
        _text("never", (792, 24, 464, 90), NEVER),
        _visual("by_month", "lineChart", (24, 130, 1232, 270), "Accuracy and its target, by month",
                {"Category": [month], "Y": [accuracy, target]}),
        _visual("by_queue", "tableEx", (24, 416, 1232, 280), "Accuracy by queue",
                {"Values": [queue, accuracy, *shown]}),
    ]  # fmt: skip
    files: dict[str, Json] = {
        "version.json": {
            "$schema": f"{REPORT}/definition/versionMetadata/1.0.0/schema.json",
            "version": "2.0.0",
        },
        "report.json": {
            "$schema": f"{REPORT}/definition/report/3.0.0/schema.json",
            "themeCollection": {},
            "settings": {"useStylableVisualContainerHeader": True},
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


def _column(name: str) -> Json:
    """A column of a dimension in a visual, its axis or its list."""
    (table,) = (one.name for one in DIMENSIONS if name in one.columns.values())
    return _field("Column", table, name) | {"active": True}


def _field(kind: str, table: str, name: str) -> Json:
    return {
        "field": {kind: {"Expression": {"SourceRef": {"Entity": table}}, "Property": name}},
        "queryRef": f"{table}.{name}",
        "nativeQueryRef": name,
    }


def _text_of(text: str) -> Json:
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
                        "text": _text_of(title),
                    }
                }
            ],
            "general": [{"properties": {"altText": _text_of(title)}}],
        },
        "drillFilterOtherVisuals": True,
    }
    return _container(name, place, visual)


def _slicer(name: str, place: tuple[int, int, int, int], title: str, column: Json) -> Json:
    """A list to choose from."""
    container = _visual(name, "slicer", place, title, {"Values": [column]})
    mode = {"properties": {"mode": _text_of("Dropdown")}}
    container["visual"]["objects"] = {"data": [mode]}
    return container


def _text(name: str, place: tuple[int, int, int, int], text: str) -> Json:
    """A text box."""
    runs = [{"value": text, "textStyle": {"fontSize": "11pt"}}]
    visual = {
        "visualType": "textbox",
        "objects": {"general": [{"properties": {"paragraphs": [{"textRuns": runs}]}}]},
    }
    return _container(name, place, visual)
