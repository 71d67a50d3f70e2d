"""A Power BI project over the Parquet files of a copy: semantic model, measures, a landing page."""

import json
from pathlib import Path

from exporting.definitions import Metric
from exporting.power_bi_model import Columns, identity, measures_of, model
from exporting.power_bi_page import REPORT, SCHEMAS, Json, page

PROJECT = "moderation_quality"
MODEL, REPORT_FOLDER = f"{PROJECT}.SemanticModel", f"{PROJECT}.Report"


def write_power_bi(
    folder: Path, metrics: list[Metric], marts: dict[str, Columns], confidence_level: float
) -> None:
    """Write a project that Power BI Desktop opens, moderation_quality.pbip.

    It says nothing of the data or of when it was written: the same definitions are the same bytes.

    Args:
        folder: where to; it must not be there.
        metrics: what the semantic layer defines.
        marts: the columns of each mart that is copied, by name.
        confidence_level: of the interval of accuracy.

    Raises:
        ValueError: a metric reads what is not copied, or two measures have one name.
    """
    files: dict[str, str] = {
        f"{PROJECT}.pbip": _json(
            {
                "$schema": f"{SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
                "version": "1.0",
                "artifacts": [{"report": {"path": REPORT_FOLDER}}],
                "settings": {"enableAutoRecovery": True},
            }
        ),
        f"{MODEL}/.platform": _platform("SemanticModel"),
        f"{MODEL}/definition.pbism": _json(
            {
                "$schema": f"{SCHEMAS}/item/semanticModel/definitionProperties/1.0.0/schema.json",
                "version": "4.0",
                "settings": {},
            }
        ),
        f"{REPORT_FOLDER}/.platform": _platform("Report"),
        f"{REPORT_FOLDER}/definition.pbir": _json(
            {
                "$schema": f"{REPORT}/definitionProperties/2.0.0/schema.json",
                "version": "4.0",
                "datasetReference": {"byPath": {"path": f"../{MODEL}"}},
            }
        ),
    }
    for path, text in model(metrics, marts, confidence_level).items():
        files[f"{MODEL}/definition/{path}"] = text
    for path, content in page(measures_of(metrics, confidence_level)).items():
        files[f"{REPORT_FOLDER}/definition/{path}"] = _json(content)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def _platform(kind: str) -> str:
    """What a Fabric workspace in Git knows an item by."""
    return _json(
        {
            "$schema": f"{SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": kind, "displayName": PROJECT},
            "config": {"version": "2.0", "logicalId": identity("item", kind)},
        }
    )


def _json(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
