"""What is built delivery by delivery equals what is built from all of them at once."""

import json
import os
import re
import shutil
import signal

import duckdb
import numpy as np
import pandas as pd
import pytest
from project_sql import render
from projects import ROOT, differing_rows
from split_history import DAY, MONDAY, Deliveries, eventful

# What says how the run went, and not what the raw data say.
OF_THE_RUN = {
    "deliveries",
    "int_deliveries__raw_days",
    "int_deliveries__days_to_build",
    "int_deliveries__decision_revisions",
    "int_deliveries__job_revisions",
}
# So few that a delivery of audits gives days their rates, or takes them away.
FEW_AUDITS = ("--vars", "{min_audits: 3, min_effective_n: 3}")
MODELS_ONLY = ("--exclude-resource-types", "unit_test", "test")
# What a build keeps rows of, and all that it reads. Every other table is made anew by each build.
KEPT = "+config.materialized:incremental"
REVISIONS = {"decision": "decision_id", "job": "job_id"}


def revisions(project):
    """{business object: its revisions}, whichever runs found them."""
    return {
        name: project.query(
            f"select {key}, recorded_at, max(n_rows) from "
            f"staging.int_deliveries__{name}_revisions group by all order by all"
        )
        for name, key in REVISIONS.items()
    }


def assert_same(project, other):
    assert differing_rows(project.warehouse, other.warehouse, OF_THE_RUN) == {}
    theirs = revisions(other)
    for name, rows in revisions(project).items():
        pd.testing.assert_frame_equal(rows, theirs[name], check_exact=True, obj=name)


def build(project, *arguments, select=KEPT):
    run = project.build(*selected(select), *arguments, data_tests=False)
    assert run.returncode == 0, run.stdout
    return run.stdout


def selected(select):
    return ("--select", select) if select else ()


def build_as_a_user(project):
    """Where a file of the project has changed, so that it is parsed."""
    run = project.dbt_as_a_user("build", *MODELS_ONLY, *selected(KEPT))
    assert run.returncode == 0, run.stdout


def kill_while_building(project, model, *arguments):
    """Start a build of all, and kill it as soon as it says that it builds a model."""
    process = project.start("build", *MODELS_ONLY, *arguments)
    for line in process.stdout:
        if "START sql" in line and f".{model} " in line:
            break
    else:
        pytest.fail(f"{model} was not built")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def rebuilt(new_project, folder, *arguments, select=KEPT):
    """A project that is built from all raw data of a folder at once."""
    project = new_project()
    shutil.copytree(folder, project.raw)
    build(project, *arguments, select=select)
    return project


@pytest.mark.parametrize(
    ("seed", "killed_in"),
    [
        (1, "base_decisions"),
        pytest.param(2, "fct_decisions", marks=pytest.mark.deep),
        pytest.param(3, "accuracy_decisions_by_day", marks=pytest.mark.deep),
    ],
)
def test_deliveries_one_by_one_equal_all_at_once(new_project, world, seed, killed_in):
    """Late rows, corrections, duplicates, an empty delivery, one loaded twice, a killed run.

    Every table comes out the same: the last builds are of all of them. Which days have rates
    follows from their audits.
    """
    rng = np.random.default_rng(seed)
    deliveries = Deliveries.at_random(eventful(world, rng), 4, rng)
    project = new_project()
    folder = project.raw
    deliveries.deliver(0, folder)
    build(project, *FEW_AUDITS)
    deliveries.deliver(1, folder)
    said = build(project, *FEW_AUDITS)
    assert "sql incremental model" in said
    build(project, *FEW_AUDITS)  # Nothing was delivered.
    deliveries.deliver(2, folder)
    deliveries.deliver_again(1, folder)
    kill_while_building(project, killed_in, *FEW_AUDITS)
    deliveries.deliver(3, folder)
    build(project, *FEW_AUDITS, select=None)
    days = project.query(
        "select dimension_name, has_rates, count(*) as n from cells.accuracy_population "
        "where period_type = 'day' and dimension_name = 'queue' group by all"
    )
    assert sorted(days["has_rates"]) == [False, True]
    at_once = rebuilt(new_project, folder, *FEW_AUDITS, select=None)
    assert_same(project, at_once)
    assert all(len(rows) for rows in revisions(project).values())

    # What was built by increments can be built anew in place.
    build(project, "--full-refresh", *FEW_AUDITS)
    assert_same(project, at_once)


def test_whether_a_day_has_rates_follows_from_that_day_alone():
    """Built with other days or without them, it has the same rows."""
    days = pd.date_range("2026-03-02", periods=40).rename("period_starts_on")
    n_audits = np.random.default_rng(1).poisson(np.linspace(0, 60, len(days)), (5, len(days)))
    population = pd.DataFrame(n_audits.T, index=days).stack().rename("n_counted_audits")
    population = population.reset_index().assign(period_type="day", dimension_name="queue")
    rule = render(
        "select *, {{ has_rates('population') }} as has_rates from population order by all"
    )
    with duckdb.connect() as database:

        def decided(rows):
            database.register("population", rows)
            return database.execute(rule).df()

        at_once = decided(population)
        alone = [decided(rows) for _, rows in population.groupby("period_starts_on")]
    pd.testing.assert_frame_equal(at_once, pd.concat(alone, ignore_index=True))
    assert at_once["has_rates"].nunique() == 2


def by_day(world, first, last):
    """The rows recorded from one day to another."""
    return {
        name: rows[rows["recorded_at"].between(first, last, inclusive="left")]
        for name, rows in world.items()
    }


END_OF_THE_FIRST_PART = MONDAY + 5 * DAY


@pytest.fixture(scope="module")
def first_part(new_project, make_world):
    """Built from what was recorded in the first five days, before any audit came."""
    project = new_project()
    deliver_part(project, "first", by_day(make_world(), pd.Timestamp.min, END_OF_THE_FIRST_PART))
    build(project)
    return project


@pytest.fixture(scope="module")
def both_parts(first_part, new_project, make_world):
    """Built at once from all raw data of the week."""
    project = new_project()
    shutil.copytree(first_part.raw, project.raw)
    deliver_part(project, "rest", by_day(make_world(), END_OF_THE_FIRST_PART, pd.Timestamp.max))
    build(project)
    return project


@pytest.fixture
def before_the_rest(first_part, both_parts, new_project):
    """A copy of the project built from the first part, to which the rest has been delivered."""
    project = first_part.copy_to(new_project())
    shutil.copytree(both_parts.raw, project.raw, dirs_exist_ok=True)
    return project


def deliver_part(project, part, world):
    for name, rows in world.items():
        if len(rows) or part == "first":
            file = project.raw / name / f"{part}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            rows.to_parquet(file, index=False)


def mark_decision(project, decision_id):
    """Put a mark on a row of a day: it is gone if the day is built again."""
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute(
            "update facts.fct_decisions set item_id = 'mark' where decision_id = ?", [decision_id]
        )


def marked(project):
    rows = project.query("select decision_id from facts.fct_decisions where item_id = 'mark'")
    return list(rows["decision_id"])


def test_an_increment_reads_only_what_is_new(before_the_rest, both_parts):
    project = before_the_rest
    mark_decision(project, "d001")
    build(project)
    # The frame of the whole week came, so its days were built again.
    assert marked(project) == []
    assert_same(project, both_parts)

    mark_decision(project, "d001")
    build(project)
    assert marked(project) == ["d001"]

    # One row of Sunday comes again: Sunday is built, and Monday is not.
    mark_decision(project, "d150")
    rest = pd.read_parquet(project.raw / "decisions" / "rest.parquet")
    again = rest[rest["decision_id"] == "d150"]
    again.to_parquet(project.raw / "decisions" / "again.parquet", index=False)
    build(project)
    assert marked(project) == ["d001"]


def test_a_build_of_some_models_leaves_the_rest_to_the_next(before_the_rest, both_parts):
    project = before_the_rest
    build(project, select="+fct_decisions")
    build(project, select="deliveries")
    build(project)
    # What says which rows are new is not asked again, so the ledger must not take them once more.
    build(project, select="config.materialized:incremental")
    ledger = project.query("select table_name, recorded_on, n_rows from restricted.deliveries")
    assert not ledger.duplicated().any()
    assert_same(project, both_parts)


def test_a_change_that_is_taken_back_after_half_a_build(both_parts, new_project, make_world):
    """What days were built from in between is no longer there, and they are built again."""
    project = both_parts.copy_to(new_project())
    roster = make_world()["roster"]
    person, late = roster[roster["person_id"] == "mod-1"], roster["recorded_at"].max() + 30 * DAY
    moved = person.assign(site="elsewhere", recorded_at=late)
    deliver_part(project, "moved", {"roster": moved})
    build(project, select="+fct_decisions")
    sites = "select distinct site from facts.fct_decisions"
    assert "elsewhere" in set(project.query(sites)["site"])
    deliver_part(project, "back", {"roster": person.assign(recorded_at=late + DAY)})
    build(project)
    assert "elsewhere" not in set(project.query(sites)["site"])
    assert_same(project, rebuilt(new_project, project.raw))


def test_a_folder_may_move(both_parts, new_project):
    """Where raw files are is no definition; that other files are there, their counts say."""
    project = both_parts.copy_to(new_project())
    mark_decision(project, "d001")
    moved = project.raw.rename(project.raw.with_name("moved"))
    build(project, "--vars", f"raw_path: {moved}")
    assert marked(project) == ["d001"]
    for file in moved.glob("decisions/rest.parquet"):
        file.unlink()
    run = project.build(*selected(KEPT), "--vars", f"raw_path: {moved}", data_tests=False)
    assert run.returncode == 1
    assert "raw_path now has other data" in run.stdout


def test_another_variable_builds_history_again(before_the_rest, new_project):
    """What was built in one time zone is not kept in another."""
    project, other = before_the_rest, new_project()
    shutil.copytree(project.raw, other.raw)
    for one in (project, other):
        build(one, "--vars", "reporting_timezone: Asia/Tokyo")
    assert_same(project, other)
    days = project.query("select distinct decided_on from facts.fct_decisions")
    # The decisions of Sunday evening are Monday's in Tokyo.
    assert days["decided_on"].max() == MONDAY + 7 * DAY


def test_a_part_built_by_other_definitions_is_built_again(before_the_rest, both_parts):
    """The next whole build has the old definitions, and none of the rows in between."""
    project = before_the_rest
    build(project)
    tokyo = ("--vars", "reporting_timezone: Asia/Tokyo")
    run = project.dbt("run", "--select", "+fct_decisions", *tokyo)
    assert run.returncode == 0, run.stdout
    days = project.query("select distinct decided_on from facts.fct_decisions")
    assert days["decided_on"].max() == MONDAY + 7 * DAY
    build(project)
    assert_same(project, both_parts)


@pytest.mark.deep
def test_another_seed_builds_history_again(before_the_rest, new_project):
    """What was built with the old action codes is not kept."""
    project, other = before_the_rest, new_project()
    shutil.copytree(project.raw, other.raw)
    for one in (project, other):
        (one.folder / "seeds").unlink()
        shutil.copytree(one.parsed.folder / "seeds", one.folder / "seeds")
        codes = one.folder / "seeds" / "action_codes.csv"
        text = codes.read_text()
        assert "\nremove,true," in text
        codes.write_text(text.replace("\nremove,true,", "\nremove,false,"))
        build_as_a_user(one)
    assert_same(project, other)
    groups = project.query("select distinct action_group from facts.fct_decisions")
    assert list(groups["action_group"]) == ["not_enforced"]


def test_the_warehouse_of_an_earlier_version_is_built_over(before_the_rest, both_parts):
    project = before_the_rest
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.sql("alter table reference.action_codes drop column meaning")
        warehouse.sql("alter table facts.fct_decisions drop column views_at_decision")
        warehouse.sql("update restricted.deliveries set definitions = 'of an earlier version'")
    build(project)
    assert_same(project, both_parts)


@pytest.fixture(scope="module")
def manifest(parsed_project):
    file = parsed_project.folder / "target" / "manifest.json"
    return json.loads(file.read_text(encoding="utf-8"))


def short(names):
    return {name.split(".")[-1] for name in names}


def upstream(manifest, name, without=()):
    """All that a model reads, itself included, but by way of some."""
    before, found = [f"model.moderation_quality.{name}"], set()
    while before:
        found.update(before)
        before = [
            parent
            for child in before
            for parent in manifest["parent_map"].get(child, [])
            if parent not in found and parent.split(".")[-1] not in without
        ]
    return found


def incremental_models(manifest, column=None):
    return {
        name
        for name, node in manifest["nodes"].items()
        if node["config"]["materialized"] == "incremental"
        and (column is None or column in node["columns"])
    }


def test_every_variable_that_history_depends_on_is_in_its_definitions(manifest):
    of_history = {
        name
        for model in short(incremental_models(manifest))
        for name in upstream(manifest, model)
        if name in manifest["nodes"]
    }
    texts, macros = [manifest["nodes"][name].get("raw_code", "") for name in of_history], set()
    before = {
        macro
        for name in of_history
        for macro in manifest["nodes"][name]["depends_on"].get("macros", [])
    }
    while before := {name for name in before - macros if ".moderation_quality." in name}:
        macros |= before
        texts += [manifest["macros"][name]["macro_sql"] for name in before]
        before = {
            macro for name in before for macro in manifest["macros"][name]["depends_on"]["macros"]
        }
    # Connectors are found by name.
    texts += [file.read_text() for file in (ROOT / "models" / "connectors").rglob("*.sql")]
    texts += [(ROOT / "macros" / "contract" / "audit_sheet.sql").read_text()]
    read = set(re.findall(r"\bvar\(\s*'(\w+)'", "\n".join(texts)))
    # A folder may move: that other files are there, their counts say.
    read -= {"raw_path"}
    macro = (ROOT / "macros" / "ledger" / "full_build.sql").read_text()
    [named] = re.findall(r"for name in \[([^\]]+)\]", macro)
    assert set(re.findall(r"\w+", named)) == read


def test_the_ledger_is_written_after_all_that_is_built_by_days(manifest):
    by_days = incremental_models(manifest)
    assert len(by_days) == 7
    assert by_days <= upstream(manifest, "deliveries")


def test_days_are_built_again_when_any_raw_table_behind_them_changes(manifest):
    # The last row recorded, of any table, is asked by derived frames alone, which are built whole.
    run = ("int_deliveries__days_to_build", "int_deliveries__raw_days", "int_context__as_of")
    read = {
        source
        for name in incremental_models(manifest, "decided_on")
        for source in upstream(manifest, name.split(".")[-1], without=run)
        if source.startswith("source.")
    }
    causes = manifest["parent_map"]["model.moderation_quality.int_deliveries__days_to_build"]
    asked = {
        source
        for cause in causes
        for source in ([cause] if cause.startswith("source.") else manifest["parent_map"][cause])
        if source.startswith("source.")
        and (cause.startswith("source.") or cause.split(".")[-1].startswith("base_"))
    }
    assert len(read) == 6
    assert short(read) == short(asked)


def test_rows_that_vanish_stop_the_build_and_are_named(both_parts, first_part, new_project):
    project = both_parts.copy_to(new_project())
    (project.raw / "decisions" / "rest.parquet").unlink()
    run = project.build(*selected(KEPT), data_tests=False)
    assert run.returncode == 1
    assert "Raw rows have vanished on 2 days of delivery" in run.stdout
    assert "- decisions, recorded on 2026-03-07: 24 rows when it was last built, 0 now" in (
        run.stdout
    )
    assert "say dbt build --full-refresh" in run.stdout
    for name in ("facts.fct_decisions", "staging.base_decisions"):
        pd.testing.assert_frame_equal(project.table(name), both_parts.table(name))
    for file in project.raw.glob("*/rest.parquet"):
        file.unlink()
    build(project, "--full-refresh")
    assert_same(project, first_part)


def test_a_missing_day_is_named_where_rows_were_expected(new_project, world):
    project = new_project()
    # A first job long before the others: no row would be expected on the days between.
    early = world["review_jobs"].head(1)
    early = early.assign(job_id="j-early", recorded_at=early["recorded_at"] - 5 * DAY)
    world["review_jobs"] = pd.concat([early, world["review_jobs"]], ignore_index=True)
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
        "n_missing_days=2, n_rows_expected=48"
    ) in run.stdout
