"""What is built delivery by delivery equals what is built from all of them at once."""

import json
import os
import shutil
import signal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import simulate as simulator
import yaml
from simulator.world import Settings
from split_history import DAY, MONDAY, Deliveries, eventful

ROOT = Path(__file__).parents[2]
# What says how the run went, and not what the raw data say.
OF_THE_RUN = {
    "deliveries",
    "int_deliveries__raw_days",
    "int_deliveries__days_to_build",
    "int_deliveries__periods_to_build",
    "int_deliveries__decision_revisions",
    "int_deliveries__job_revisions",
    "int_deliveries__audit_revisions",
}
REVISIONS = {"decision": "decision_id", "job": "job_id", "audit": "audit_id, revision_no"}


def tables(project):
    """{table: all its rows in an order that only their content sets}, but for those of the run."""
    found = project.query(
        "select schema_name as s, table_name as t from duckdb_tables() where not internal"
    )
    kept = {
        f"{row.s}.{row.t}": project.table(f"{row.s}.{row.t}")
        for row in found.itertuples()
        if row.t not in OF_THE_RUN
    }
    for name, key in REVISIONS.items():
        kept[f"revisions of a {name}"] = project.query(
            f"select {key}, recorded_at, max(n_rows) from "
            f"intermediate.int_deliveries__{name}_revisions group by all order by all"
        )
    return kept


def assert_same(project, other):
    mine, theirs = tables(project), tables(other)
    assert mine.keys() == theirs.keys()
    assert len(mine) > 25
    for name, rows in mine.items():
        pd.testing.assert_frame_equal(rows, theirs[name], check_exact=True, obj=name)


def build(project, *arguments):
    run = project.build(*arguments, data_tests=False)
    assert run.returncode == 0, run.stdout
    return run.stdout


def kill_while_building(project, model):
    """Start a build, and kill it as soon as it says that it builds a model."""
    process = project.start("build", "--exclude-resource-types", "test", "unit_test")
    for line in process.stdout:
        if "START sql" in line and f".{model} " in line:
            break
    else:
        pytest.fail(f"{model} was not built")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def raw(new_project):
    """A function that gives a new project and its raw folder."""

    def make():
        project = new_project()
        return project, project.folder / "data" / "raw"

    return make


def rebuilt(raw, folder):
    """A project that is built from all raw data of a folder at once."""
    project, own = raw()
    shutil.copytree(folder, own)
    build(project)
    return project


@pytest.mark.parametrize(
    ("seed", "killed_in"),
    [(1, "base_decisions"), (2, "fct_decisions"), (3, "accuracy_decisions_by_day")],
)
def test_deliveries_one_by_one_equal_all_at_once(raw, make_world, seed, killed_in):
    """Late rows, corrections, duplicates, an empty delivery, one loaded twice, a killed run."""
    rng = np.random.default_rng(seed)
    deliveries = Deliveries.at_random(eventful(make_world(), rng), 4, rng)
    project, folder = raw()
    deliveries.deliver(0, folder)
    build(project)
    deliveries.deliver(1, folder)
    said = build(project)
    assert "sql incremental model" in said
    build(project)  # Nothing was delivered.
    deliveries.deliver(2, folder)
    deliveries.deliver_again(1, folder)
    kill_while_building(project, killed_in)
    deliveries.deliver(3, folder)
    build(project)
    at_once = rebuilt(raw, folder)
    assert_same(project, at_once)

    # What was built by increments can be built anew in place.
    build(project, "--full-refresh")
    assert_same(project, at_once)


def test_a_long_history_is_built_by_the_periods_that_a_delivery_touches(raw, tmp_path):
    """Half a year; in the second delivery also few rows of months that nothing else touches."""
    simulator.simulate(
        Settings(days=190, decisions_per_day=60, audit_rate=0.5, seed=3), tmp_path, workers=1
    )
    world = {
        table.stem: duckdb.sql(f"from '{table if table.is_file() else table / '*.parquet'}'").df()
        for table in (tmp_path / "raw").iterdir()
    }
    # Of March, calibration ratings come late; of April, scores; a decision of May, of a week in
    # which no stratum of April ends, is replaced.
    late = {
        name: some_of_month(world[name]["recorded_at"], month)
        for name, month in (("calibration_ratings", 3), ("audit_scores", 4))
    }
    decisions = world["decisions"]
    removed_in_may = decisions[
        (decisions["decided_by_type"] == "human")
        & (decisions["action_code"] == "remove")
        & decisions["decided_at"].between("2026-05-13", "2026-05-20")
    ].iloc[[0]]
    ends = [MONDAY + days * DAY for days in (160, 175, 189)]
    world["decisions"] = pd.concat(
        [
            decisions,
            removed_in_may.assign(
                decision_id="d-replacing",
                supersedes_decision_id=removed_in_may["decision_id"],
                action_code="no_action",
                decided_at=ends[0] + DAY,
                recorded_at=ends[0] + DAY,
            ),
        ],
        ignore_index=True,
    )
    deliveries = Deliveries.by_day(world, ends, late)
    project, folder = raw()
    for number in range(len(ends)):
        deliveries.deliver(number, folder)
        build(project)
    assert_same(project, rebuilt(raw, folder))

    # What is gone from periods that are over stays gone: they are not built again.
    tables = incremental_tables_of_periods(project)
    assert len(tables) == 13
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as warehouse:
        for table in tables:
            warehouse.sql(f"delete from {table} where period_starts_on < date '2026-05-01'")
    deliveries.deliver(len(ends), folder)
    build(project)
    first_periods = {
        table: project.query(f"select min(period_starts_on) as first from {table}")["first"][0]
        for table in tables
    }
    assert min(first_periods.values()) >= pd.Timestamp("2026-05-01"), first_periods


def some_of_month(recorded_at, month):
    """Which of the rows recorded in a month are the first few of it."""
    is_of_month = recorded_at.dt.month == month
    return (is_of_month & (is_of_month.cumsum() <= 5)).to_numpy().astype(int)


def incremental_tables_of_periods(project):
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())
    return [
        f"{node['schema']}.{node['name']}"
        for node in manifest["nodes"].values()
        if node["config"]["materialized"] == "incremental" and "period_starts_on" in node["columns"]
    ]


def by_day(world, first, last):
    """The rows recorded from one day to another."""
    return {
        name: rows[rows["recorded_at"].between(first, last, inclusive="left")]
        for name, rows in world.items()
    }


@pytest.fixture
def in_two_parts(raw, make_world):
    """A project built from all but the last two weeks, in which audits come, and the rest."""
    project, _ = raw()
    world = make_world()
    project.deliver(by_day(world, pd.Timestamp.min, MONDAY + 5 * DAY))
    folder = project.folder / "data" / "raw"
    for file in list(folder.glob("*.parquet")):
        (folder / file.stem).mkdir()
        file.rename(folder / file.stem / "first.parquet")
    build(project)

    def deliver_the_rest(**only):
        for name, rows in by_day(world, MONDAY + 5 * DAY, pd.Timestamp.max).items():
            if len(rows) and only.get(name, True):
                rows.to_parquet(folder / name / "rest.parquet", index=False)

    return project, folder, deliver_the_rest


def test_an_increment_reads_only_what_is_new(in_two_parts, raw):
    project, folder, deliver_the_rest = in_two_parts
    deliver_the_rest()
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as warehouse:
        # A mark on a day of which nothing comes: it would be gone if the day were built again.
        warehouse.sql("update core.fct_decisions set item_id = 'mark' where decision_id = 'd001'")
    build(project)
    marked = project.query("select decision_id from core.fct_decisions where item_id = 'mark'")
    # The frame of the whole week came, so its days were built again.
    assert marked.empty
    assert_same(project, rebuilt(raw, folder))

    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as warehouse:
        warehouse.sql("update core.fct_decisions set item_id = 'mark' where decision_id = 'd001'")
    build(project)
    marked = project.query("select decision_id from core.fct_decisions where item_id = 'mark'")
    assert list(marked["decision_id"]) == ["d001"]

    # One row of Sunday comes again: Sunday is built, and Monday is not.
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as warehouse:
        warehouse.sql("update core.fct_decisions set item_id = 'mark' where decision_id = 'd150'")
    rest = pd.read_parquet(folder / "decisions" / "rest.parquet")
    again = rest[rest["decision_id"] == "d150"]
    again.to_parquet(folder / "decisions" / "again.parquet", index=False)
    build(project)
    marked = project.query("select decision_id from core.fct_decisions where item_id = 'mark'")
    assert list(marked["decision_id"]) == ["d001"]


def test_a_build_of_some_models_leaves_the_rest_to_the_next(in_two_parts, raw):
    project, folder, deliver_the_rest = in_two_parts
    deliver_the_rest()
    build(project, "--select", "+fct_decisions")
    build(project, "--select", "deliveries")
    build(project)
    assert_same(project, rebuilt(raw, folder))


def test_other_definitions_build_history_anew(in_two_parts, raw):
    """A variable and a seed: what was built by the old ones is not kept."""
    project, folder, deliver_the_rest = in_two_parts
    deliver_the_rest()
    tokyo = ["--vars", "reporting_timezone: Asia/Tokyo"]
    build(project, *tokyo)
    other, own = raw()
    shutil.copytree(folder, own)
    build(other, *tokyo)
    assert_same(project, other)

    for one in (project, other):
        shutil.copytree(one.folder / "seeds", one.folder / "own_seeds")
        (one.folder / "seeds").unlink()
        (one.folder / "own_seeds").rename(one.folder / "seeds")
        codes = one.folder / "seeds" / "action_codes.csv"
        text = codes.read_text()
        assert "\nremove,true," in text
        codes.write_text(text.replace("\nremove,true,", "\nremove,false,"))
    build(project, *tokyo)
    build(other, *tokyo, "--full-refresh")
    assert_same(project, other)
    groups = project.query("select distinct action_group from core.fct_decisions")
    assert list(groups["action_group"]) == ["not_enforced"]


def test_the_warehouse_of_an_earlier_version_is_built_over(in_two_parts, raw):
    project, _, _ = in_two_parts
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as warehouse:
        warehouse.sql("alter table reference.metrics drop column denominator")
        warehouse.sql("alter table core.fct_audits drop column views_at_decision")
        warehouse.sql("update reconciliation.deliveries set definitions = 'of an earlier version'")
    build(project)
    assert "denominator" in project.table("reference.metrics").columns
    assert "views_at_decision" in project.table("core.fct_audits").columns


# Read by tests, and by marts that are always built whole.
OF_WHOLE_MODELS = {
    "max_clock_skew_minutes",
    "people_window_days",
    "min_peers",
    "min_effective_n_to_rank",
    "min_comparable_share",
    "plan_target_half_width",
    "plan_min_per_stratum",
    "plan_budget",
    "plan_history_periods",
    "plan_more_audits",
    "min_agreement_items",
    "min_repeats",
}


def test_every_variable_that_history_depends_on_is_in_its_definitions():
    variables = set(yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"])
    macro = (ROOT / "macros" / "increments" / "full_build.sql").read_text()
    named = {name for name in variables if f"'{name}'" in macro}
    assert variables - named == OF_WHOLE_MODELS


def test_the_ledger_is_written_after_all_that_is_built_by_days(parsed_project):
    manifest = json.loads((parsed_project.folder / "target" / "manifest.json").read_text())
    parents = manifest["parent_map"]
    [ledger] = [name for name in parents if name.endswith(".deliveries")]
    before, found = [ledger], set()
    while before:
        found.update(before)
        before = [parent for name in before for parent in parents.get(name, [])]
    by_days = {
        name
        for name, node in manifest["nodes"].items()
        if node["config"]["materialized"] == "incremental"
    }
    assert len(by_days) > 10
    assert by_days <= found


def test_rows_that_vanish_stop_the_build_and_are_named(in_two_parts, raw):
    project, folder, deliver_the_rest = in_two_parts
    deliver_the_rest()
    build(project)
    before = tables(project)
    (folder / "decisions" / "rest.parquet").unlink()
    run = project.build(data_tests=False)
    assert run.returncode == 1
    assert "Raw rows have vanished on 2 days of delivery" in run.stdout
    assert "- decisions, recorded on 2026-03-07: 24 rows when it was last built, 0 now" in (
        run.stdout
    )
    assert "say dbt build --full-refresh" in run.stdout
    for name in ("core.fct_decisions", "staging.base_decisions"):
        pd.testing.assert_frame_equal(project.table(name), before[name])
    build(project, "--full-refresh")
    assert_same(project, rebuilt(raw, folder))


def test_a_missing_day_is_named(raw, make_world):
    project, _ = raw()
    world = make_world()
    for table in ("decisions", "review_jobs"):
        rows = world[table]
        days = rows["recorded_at"].dt.normalize()
        world[table] = rows[~days.isin([MONDAY + 2 * DAY, MONDAY + 3 * DAY])]
    project.deliver(world)
    select = ["--select", "+int_deliveries__raw_days", "--indirect-selection", "cautious"]
    run = project.dbt("build", *select)
    assert run.returncode == 0, run.stdout
    assert "WARN no_day_of_delivery_is_missing: 2 rows" in run.stdout
    assert (
        "table_name=decisions, delivered_before_on=2026-03-03, recorded_on=2026-03-06, "
        "n_missing_days=2"
    ) in run.stdout
