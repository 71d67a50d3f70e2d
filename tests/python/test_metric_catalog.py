"""The catalogue of metrics is what the registry says, and no metric is defined twice or half."""

import csv
import re
import shutil
from pathlib import Path

import metric_catalog
import pytest
import yaml
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
WRITTEN = (metric_catalog.PAGE, metric_catalog.BLOCKS, metric_catalog.SEMANTIC)


@pytest.fixture
def project(tmp_path):
    """What the catalogue is made from, and the files as they were committed."""
    for name in (
        "dbt_project.yml",
        metric_catalog.SEED,
        metric_catalog.PAGE,
        metric_catalog.BLOCKS,
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    yaml_only = shutil.ignore_patterns("*.sql", "*.md")
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=yaml_only)
    return tmp_path


def run(project, *arguments):
    return CliRunner().invoke(metric_catalog.main, ["--project", str(project), *arguments])


def change(project, metric_id, **values):
    """Write other values into the rows of a metric."""
    with (project / metric_catalog.SEED).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [row for row in rows if row["metric_id"] == metric_id]
    for row in found:
        row.update(values)
    write(project, rows)
    assert found


def write(project, rows):
    with (project / metric_catalog.SEED).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def add(project, metric_id, **values):
    """Register a row like that of a metric."""
    rows = metric_catalog.read_metrics(project)
    row = next(row for row in rows if row["metric_id"] == metric_id)
    write(project, [*rows, {**row, **values}])


def test_what_was_committed_is_fresh(project):
    assert (result := run(project, "--check")).exit_code == 0, result.output


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_changed_by_hand_is_stale(project, name):
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("And more.\n")
    result = run(project, "--check")
    assert result.exit_code == 1
    assert f"{name}: not what" in result.output


def test_a_changed_meaning_is_seen_and_written(project):
    change(project, "accuracy", meaning="Another share")
    result = run(project, "--check")
    assert result.exit_code == 1
    assert ", ".join(WRITTEN) in result.output
    assert "Another share" not in (project / metric_catalog.PAGE).read_text(encoding="utf-8")
    assert run(project).exit_code == 0
    for name in WRITTEN:
        assert "Another share" in (project / name).read_text(encoding="utf-8")
    assert run(project, "--check").exit_code == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"question": ""}, "question is empty"),
        ({"question": "How often"}, "its question has no question mark"),
        ({"population": " "}, "population is empty"),
        ({"owner": ""}, "owner is empty"),
        ({"since": "1 March 2026"}, "since is not a day"),
        ({"mart": "no_such_mart"}, "no model is called no_such_mart"),
        ({"counter_metric": "no_such_metric"}, "counter_metric no_such_metric is no other metric"),
        ({"counter_metric": "accuracy"}, "counter_metric accuracy is no other metric"),
        ({"maturity": "no_such_days after the period ends"}, "maturity names no_such_days"),
    ],
)
def test_half_a_definition_is_refused(project, values, said):
    change(project, "accuracy", **values)
    result = run(project)
    assert result.exit_code == 1
    assert f"accuracy: {said}" in result.output
    # Nothing was written.
    page = (project / metric_catalog.PAGE).read_text(encoding="utf-8")
    assert page == (ROOT / metric_catalog.PAGE).read_text(encoding="utf-8")


def test_a_metric_defined_twice_is_refused(project):
    add(project, "accuracy", meaning="Another share")
    result = run(project)
    assert result.exit_code == 1
    assert "accuracy: version 1 is defined 2 times" in result.output


def test_a_new_version_stands_beside_the_old_one_under_a_name_of_its_own(project):
    add(project, "accuracy", metric_version="3", meaning="Another share")
    assert run(project).exit_code == 0
    page = (project / metric_catalog.PAGE).read_text(encoding="utf-8")
    headings = re.findall("^### (accuracy.*)$", page, re.MULTILINE)
    assert headings[:3] == ["accuracy", "accuracy version 2", "accuracy version 3"]
    assert page.index("Another share") > page.index("### accuracy version 3")
    assert "(#accuracy-version-3)" in page
    semantic = yaml.safe_load((project / metric_catalog.SEMANTIC).read_text(encoding="utf-8"))
    names = [metric["name"] for metric in semantic["metrics"]]
    assert names[:3] == ["accuracy", "accuracy_v2", "accuracy_v3"]
    assert "_version') }} = 3" in semantic["metrics"][2]["filter"]


def test_every_metric_is_in_the_catalogue_once_and_its_mart_shows_it():
    metrics = metric_catalog.read_metrics(ROOT)
    page = (ROOT / metric_catalog.PAGE).read_text(encoding="utf-8")
    headings = re.findall("^### (.+)$", page, re.MULTILINE)
    assert sorted(headings) == sorted(
        metric["metric_id"]
        if metric["metric_version"] == "1"
        else f"{metric['metric_id']} version {metric['metric_version']}"
        for metric in metrics
    )
    blocks = (ROOT / metric_catalog.BLOCKS).read_text(encoding="utf-8")
    names = re.findall(r"{% docs (\w+) %}", blocks)
    assert sorted(names) == sorted(
        {f"metrics_of_{m['mart']}" for m in metrics} | {"metric_catalog"}
    )
    files = [*(ROOT / "models").rglob("*.yml"), ROOT / "seeds" / "metrics.yml"]
    used = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in names if f"doc('{name}')" not in used] == []
