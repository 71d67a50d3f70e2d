"""The fault catalogue: that it measures what dbt would do, and that faults are named."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import faults
import project_sql
import pytest
from simulator.columns import RAW_TABLES
from spoiling import trial
from spoiling.catalogue import FAULTS, read
from spoiling.healthy import SETTINGS, Healthy
from spoiling.trial import Fault, try_fault

PAGE = project_sql.PROJECT / "docs" / "faults.md"
BY_ID = {fault.id: fault for fault in FAULTS}
# One of a family each, as far as a minute goes; the deep test has a third of all.
FEW = [
    "decided_at_missing",
    "action_unknown",
    "truth_misspelt",
    "probabilities_nan",
    "frame_too_large",
    "score_off_the_scale",
    "file_table_missing",
]


@pytest.fixture(scope="module")
def world(once, parse):
    """A world built once a session, which is only read."""

    def make(name, settings):
        manifest = project_sql.dump(parse().manifest())
        return Healthy(once(name, lambda folder: Healthy.make(folder, settings, manifest)))

    return make


@pytest.fixture(scope="module")
def healthy(world):
    """A fortnight."""
    return world("healthy for faults", replace(SETTINGS, days=14, decisions_per_day=200))


@pytest.fixture(scope="module")
def catalogue_world(world):
    """What `make faults` spoils: some faults change nothing in a smaller world."""
    return world("catalogue world", SETTINGS)


def test_the_healthy_world_raises_nothing(healthy):
    assert healthy.said == []


def test_the_compiled_run_builds_what_dbt_built(healthy):
    # As if every raw table were spoilt, so that nothing is taken from the healthy world.
    raw = str(healthy.raw)
    with trial._beside(healthy) as db:
        run = trial.run_compiled(db, healthy.nodes, raw, raw, set(RAW_TABLES))
        assert (run.named_by, run.not_built) == ([], set())
        models = [node for node in healthy.nodes if node.kind == "model"]
        assert len(models) > 70
        tables = [node for node in models if node.materialized != "view"]
        for node in tables:
            now, was = node.relation, trial._healthy(node)
            (n,) = db.execute(
                f"select (select count(*) from (from {now} except all from {was})) "
                f"+ (select count(*) from (from {was} except all from {now}))"
            ).fetchone()
            assert n == 0, node.name


@pytest.mark.parametrize("name", FEW)
def test_a_fault_is_named(healthy, tmp_path, name):
    outcome = try_fault(BY_ID[name], healthy, tmp_path / name)
    assert outcome.named_by, outcome
    assert outcome.says_what_to_do, outcome.named_by


def test_numbers_that_are_watched_are_in_marts(parsed_project):
    """A mart or column that was renamed would move unseen."""
    marts = {node["name"]: node["columns"] for node in parsed_project.nodes.values()}
    for number in trial.NUMBERS:
        assert number.column in marts[number.mart], number
    assert {*trial.KEYS} <= {key for n in trial.NUMBERS for key in marts[n.mart]}


def test_what_moves_and_is_not_named_is_missed(healthy, tmp_path):
    lie = BY_ID["auditors_tell_one_lie"]
    sql = re.sub(r"one_in\(10, \w+\)", "true", lie.sql)
    all_lie = try_fault(replace(lie, sql=sql), healthy, tmp_path / "lie")
    assert all_lie.headline > 1
    assert all_lie.is_moved
    assert replace(all_lie, named_by=[]).is_missed
    unchanged = try_fault(Fault("none", "none", "Nothing."), healthy, tmp_path / "none")
    assert not unchanged.is_moved
    assert unchanged.named_by == []
    assert unchanged.changes_nothing and not all_lie.changes_nothing
    assert (unchanged.headline, unchanged.decisions) == (0, 0)


def test_the_catalogue_is_read_whole():
    assert len(BY_ID) == len(FAULTS) >= 120
    files = Path(trial.__file__).parent / "faults"
    heads = sum(
        len(re.findall(r"^-- (?!undetectable|both)\w+: ", file.read_text(), re.MULTILINE))
        for file in files.glob("*.sql")
    )
    assert heads == sum(len(read(file)) for file in files.glob("*.sql"))
    assert all(fault.sql or fault.files for fault in FAULTS)
    assert all(fault.story.endswith(".") for fault in FAULTS)


def test_the_page_has_every_fault():
    page = PAGE.read_text()
    assert set(re.findall(r"^\| \*\*(\w+)\*\*", page, re.MULTILINE)) == set(BY_ID), "make faults"


def test_every_message_in_the_page_has_no_path():
    assert not re.search(r"/tmp/|/home/|/root/", PAGE.read_text())


@pytest.mark.deep
@pytest.mark.parametrize("name", ["frame_too_large", "action_unknown", "score_nan"])
def test_the_compiled_run_says_what_dbt_says(healthy, tmp_path, name):
    fault = BY_ID[name]
    compiled = try_fault(fault, healthy, tmp_path / "compiled")
    # Whatever is done to files goes through dbt itself: here, nothing.
    by_dbt = try_fault(replace(fault, files=lambda raw: None), healthy, tmp_path / "dbt")
    # dbt skips what is behind a test that fails, and so its tests.
    said = {(one.name, one.severity) for one in by_dbt.named_by}
    assert said
    assert said <= {(one.name, one.severity) for one in compiled.named_by}
    assert by_dbt.n_not_built == compiled.n_not_built
    # What the tests below do: no further than to the first name.
    first = try_fault(fault, healthy, tmp_path / "compiled", until_named=True)
    assert first.named_by == compiled.named_by[:1]


@pytest.fixture(scope="module")
def outcomes(catalogue_world):
    """Every third fault, built until it is named: what moves, and is named or not, needs no more.

    They stand by family, so each family has its part; `make faults` tries all.
    """
    return list(faults.try_all(FAULTS[::3], catalogue_world, workers=1, until_named=True))


@pytest.mark.deep
def test_every_fault_changes_the_world(outcomes):
    assert len(outcomes) > 80
    assert [one.id for one in outcomes if one.changes_nothing] == []


@pytest.mark.deep
def test_no_fault_is_missed(catalogue_world, outcomes):
    assert catalogue_world.said == []
    missed = [
        (one.id, faults._moved(one))
        for one in outcomes
        if one.is_missed and not BY_ID[one.id].undetectable
    ]
    assert missed == []


def test_spoiling_leaves_the_healthy_world_alone(healthy, tmp_path):
    before = {file.name: file.stat().st_mtime_ns for file in healthy.raw.iterdir()}
    trial.spoil(BY_ID["truth_copied"], healthy, tmp_path / "raw")
    assert {file.name: file.stat().st_mtime_ns for file in healthy.raw.iterdir()} == before
    with duckdb.connect() as db:
        (n,) = db.execute(
            f"select count(*) from '{healthy.raw}/audits.parquet' "
            "where truth_action_code <> decided_action_code"
        ).fetchone()
    assert n > 0
