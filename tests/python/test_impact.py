"""What a change reaches, on manifests made by hand."""

import copy
import subprocess

import click
import impact
import pytest

P = "moderation_quality"


def node(name, *, of=(), readers="everybody", columns=None, macros=()):
    return {
        "name": name,
        "resource_type": "model",
        "checksum": {"checksum": name},
        "config": {"meta": {"readers": readers}},
        "columns": {
            column: {"data_type": kind, "description": "What it is."}
            for column, kind in (columns or {"n": "bigint"}).items()
        },
        "depends_on": {"nodes": [f"model.{P}.{one}" for one in of], "macros": [*macros]},
    }


def manifest(*nodes):
    made = {f"model.{P}.{one['name']}": one for one in nodes}
    page = f"exposure.{P}.page"
    children = {key: [] for key in [*made, page]}
    for key, one in made.items():
        for parent in one["depends_on"]["nodes"]:
            children[parent].append(key)
    children[f"model.{P}.headline"].append(page)
    inner = {"macro_sql": "a + b", "depends_on": {"macros": []}}
    outer = {"macro_sql": "{{ inner() }}", "depends_on": {"macros": ["macro.p.inner"]}}
    owner = {"name": "Quality"}
    return {
        "nodes": made,
        "macros": {"macro.p.inner": inner, "macro.p.outer": outer},
        "child_map": children,
        "exposures": {page: {"name": "page", "label": "", "owner": owner, "maturity": "high"}},
    }


@pytest.fixture
def before():
    return manifest(
        node("cells", readers="restricted", macros=["macro.p.outer"]),
        node("rates", of=["cells"]),
        node("headline", of=["rates"]),
        node("other"),
    )


@pytest.fixture
def now(before):
    return copy.deepcopy(before)


METRICS = {("accuracy", "1"): {"metric_id": "accuracy", "mart": "rates"}}


def reached(before, now, metrics=(METRICS, METRICS)):
    return impact.report(before, now, metrics)


def test_of_nothing_nothing_is_reached(before, now):
    assert {kind: len(lines) for kind, lines in reached(before, now).items()} == dict.fromkeys(
        reached(before, now), 0
    )


@pytest.mark.parametrize("how", ["changed", "config or types changed", "macro inner changed"])
def test_a_changed_step_reaches_marts_metrics_and_pages(before, now, how):
    cells = now["nodes"][f"model.{P}.cells"]
    if how == "changed":
        cells["checksum"] = {"checksum": "another"}
    elif how.startswith("config"):
        cells["columns"]["n"]["data_type"] = "double"
    else:
        now["macros"]["macro.p.inner"]["macro_sql"] = "a - b"
    found = reached(before, now)
    assert found["changed"] == [f"cells: {how}"]
    assert found["open marts made of it"] == ["headline", "rates"]
    assert found["metrics in them"] == ["accuracy"]
    assert found["exposures"] == ["page: Quality, maturity high"]
    assert found["columns"] == []


def test_a_text_changes_no_number(before, now):
    now["nodes"][f"model.{P}.rates"]["columns"]["n"]["description"] = "Something else."
    found = reached(before, now)
    assert (found["changed"], found["columns"]) == ([], ["rates.n: another text"])


def test_columns_that_are_new_gone_or_of_another_type(before, now):
    old = before["nodes"][f"model.{P}.rates"]["columns"]
    old["gone"] = {"data_type": "date", "description": ""}
    new = now["nodes"][f"model.{P}.rates"]["columns"]
    new["added"], new["n"] = {"data_type": "date", "description": ""}, {**new["n"]}
    new["n"]["data_type"] = "double"
    del now["nodes"][f"model.{P}.other"]
    assert reached(before, now)["columns"] == [
        "other.*: gone",
        "rates.added: new",
        "rates.gone: gone",
        "rates.n: double, was bigint",
    ]


@pytest.mark.parametrize(("readers", "how"), [("everybody", "new mart"), ("restricted", "gone")])
def test_a_mart_that_is_opened_or_closed(before, now, readers, how):
    name = {"everybody": "cells", "restricted": "other"}[readers]
    now["nodes"][f"model.{P}.{name}"]["config"] = {"meta": {"readers": readers}}
    assert reached(before, now)["columns"] == [f"{name}.*: {how}"]


def test_a_metric_defined_otherwise(before, now):
    other = {("accuracy", "1"): METRICS["accuracy", "1"] | {"numerator": "n"}}
    found = reached(before, now, (METRICS, other))
    assert found["metrics defined otherwise"] == ["accuracy version 1"]


def test_the_project_as_it_was(tmp_path):
    """Of a commit, and of none."""
    files = tmp_path / "project"
    files.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (files / "a.txt").write_text("then")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *command], cwd=files, check=True)
    (files / "a.txt").write_text("now")
    then = tmp_path / "then"
    then.mkdir()
    impact.as_it_was(files, "HEAD", then)
    assert (then / "a.txt").read_text() == "then"
    with pytest.raises(click.ClickException, match="git has no nowhere"):
        impact.as_it_was(files, "nowhere", then)
