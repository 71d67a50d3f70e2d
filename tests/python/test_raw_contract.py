"""What a user gets for raw data that breaks the contract, and for the data that may be absent."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal

MODELS = Path(__file__).parents[2] / "models"
MARTS = ("accuracy.accuracy_rates", "core.fct_audits", "core.fct_decisions")


@pytest.fixture(scope="module")
def built(new_project, make_world):
    """The small world, built from Parquet."""
    project = new_project()
    project.deliver(make_world())
    run = project.build()
    assert run.returncode == 0, run.stdout
    return project


def assert_same_marts(project, built):
    for mart in MARTS:
        expected = built.table(mart)
        assert len(expected) > 0, mart
        assert_frame_equal(project.table(mart), expected, obj=mart)


def overall(project):
    """The headline row: accuracy of the week, overall."""
    rows = project.query(
        "from accuracy.accuracy_rates where metric_id = 'accuracy' "
        "and period_type = 'week' and dimension_name = 'overall'"
    )
    return rows.iloc[0]


def test_the_small_world_has_the_rate_that_a_hand_computes(built):
    # Of 14 audits in the stratum of 40 decisions 2 found an error, and one of these was overturned;
    # of 40 in the stratum of 120, 4 did, and a fifth in its second revision.
    strata = built.query(
        "select stratum_key, count(*) as n, sum(n_correct) as k from core.fct_audits group by all"
    )
    assert sorted(zip(strata["n"], strata["k"], strict=True)) == [(14, 13), (40, 35)]
    assert overall(built)["estimate"] == pytest.approx((40 * 13 / 14 + 120 * 35 / 40) / 160)


def test_csv_gives_the_same_marts(new_project, world, built):
    project = new_project()
    project.deliver(world, kind="csv")
    run = project.build(data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, built)


def test_a_warehouse_schema_gives_the_same_marts(new_project, world, built):
    project = new_project()
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as connection:
        connection.sql("create schema landing")
        for name, table in world.items():
            connection.register("delivered", table)
            connection.sql(f"create table landing.{name} as from delivered")
    run = project.build("--vars", "{raw_schema: landing}", data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, built)


def test_exact_duplicates_change_no_mart(new_project, world, built):
    project = new_project()
    project.deliver({name: pd.concat([table, table.head(50)]) for name, table in world.items()})
    run = project.build(data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, built)


def test_absent_optional_tables_and_columns_read_as_empty(new_project, world, built):
    project = new_project()
    del world["roster"], world["disputes"]
    world["decisions"] = world["decisions"].drop(columns=["moderator_id", "handling_seconds"])
    world["audits"] = world["audits"].drop(columns=["auditor_id", "is_blind"])
    project.deliver(world)
    run = project.build()
    assert run.returncode == 0, run.stdout
    assert len(project.table("staging.stg_disputes")) == 0
    decisions = project.table("staging.stg_decisions")
    assert len(decisions) == 160
    assert decisions[["moderator_key", "handling_seconds"]].isna().all(axis=None)
    # The dispute that is not there any more had overturned an error of an enforced decision.
    assert overall(project)["estimate"] == pytest.approx(overall(built)["estimate"] - 40 / 14 / 160)


@pytest.fixture(scope="module")
def broken_structure(new_project, make_world):
    """A build on raw data with several breaks of structure at once."""
    world = make_world()
    del world["sampling_frame"]
    world["audits"] = world["audits"].drop(columns="truth_action_code")
    world["audits"]["revision_no"] = world["audits"]["revision_no"].astype(float)
    world["audits"].loc[3, "revision_no"] = 1.5
    world["decisions"]["decided_at"] = world["decisions"]["decided_at"].astype(str)
    world["decisions"].loc[[7, 8], "decided_at"] = ["yesterday", "31.02.2026"]
    project = new_project()
    project.deliver(world)
    return project, project.build()


@pytest.mark.parametrize(
    "explanation",
    [
        "sampling_frame: required table not found. Put it in data/raw/sampling_frame.parquet",
        "audits.truth_action_code: required column not found. Add it as string; the table has "
        "audit_id",
        'audits.revision_no: 1 values cannot be read as bigint (they are double), such as "1.5" '
        "in audit_id/revision_no a009/1.5",
        "decisions.decided_at: 2 values cannot be read as timestamp (they are varchar), such as "
        '"yesterday" in decision_id d007; "31.02.2026" in decision_id d008. Correct them',
    ],
    ids=["missing_table", "missing_column", "fraction_for_a_bigint", "text_for_a_timestamp"],
)
def test_a_break_of_structure_stops_the_build_and_is_explained(broken_structure, explanation):
    project, run = broken_structure
    assert run.returncode != 0
    assert explanation in " ".join(run.stdout.split())
    assert project.tables() == set()


def test_two_kinds_of_file_for_one_table_stop_the_build(new_project, world):
    project = new_project()
    project.deliver(world)
    project.deliver({"audits": world["audits"]}, kind="csv")
    run = project.build()
    assert run.returncode != 0
    assert 'Raw table "audits": both Parquet and CSV files' in run.stdout
    assert project.tables() == set()


def contradict_a_decision(world):
    twice = world["decisions"].iloc[[5]].assign(action_code="remove", primary_policy_id="hate")
    world["decisions"] = pd.concat([world["decisions"], twice], ignore_index=True)


def invent_an_action_code(world):
    world["decisions"].loc[6, "action_code"] = "shadowban"


def decide_in_the_future(world):
    world["decisions"].loc[7, "decided_at"] += pd.Timedelta(hours=1)


def audit_an_unknown_decision(world):
    world["audits"].loc[2, "decision_id"] = "d999"


def frame_a_decision_twice(world):
    world["sampling_frame"].loc[1, "action_group"] = None


@pytest.mark.parametrize(
    ("spoil", "failing_test", "shown"),
    [
        (
            contradict_a_decision,
            "decisions_are_not_contradicted",
            [
                "decision_id=d005, recorded_at=2026-03-02 05:01:00, n_versions=2, "
                "differs_in=action_code, primary_policy_id",
                "Ask the source which row of raw decisions holds",
            ],
        ),
        (
            invent_an_action_code,
            "decisions_have_a_known_action_code",
            ["decision_id=d006, action_code=shadowban", "add a row to seeds/action_codes.csv"],
        ),
        (
            decide_in_the_future,
            "decisions_are_not_dated_in_the_future",
            [
                "decision_id=d007, decided_at=2026-03-02 08:00:00, recorded_at=2026-03-02 07:01:00",
                "in the source of raw decisions",
            ],
        ),
        (
            audit_an_unknown_decision,
            "audits_have_a_known_decision",
            ["audit_id=a006, revision_no=1, decision_id=d999", "Deliver the decision"],
        ),
        (
            frame_a_decision_twice,
            "strata_do_not_overlap",
            [
                "stratum_key=weekly|enforced|2026-03-02 00:00:00, "
                "overlaps_stratum_key=weekly|not_enforced|2026-03-02 00:00:00",
                "Redraw the strata",
            ],
        ),
    ],
)
def test_bad_rows_fail_a_named_test_and_no_rate_is_built(
    new_project, world, spoil, failing_test, shown
):
    spoil(world)
    project = new_project()
    project.deliver(world)
    run = project.build()
    assert run.returncode != 0
    told = " ".join(run.stdout.split())
    assert f"FAIL {failing_test}: 1 row." in told, run.stdout
    for part in shown:
        assert part in told, run.stdout
    assert not {"accuracy_cells", "accuracy_estimates", "accuracy_rates"} & project.tables()


STAGED = sorted(file.stem.removeprefix("stg_") for file in (MODELS / "staging").glob("stg_*.yml"))
RENAMED = {"person_id": "person_key"}


@pytest.mark.parametrize("table", STAGED)
def test_staging_asks_for_every_value_that_the_contract_asks_for(table):
    source = yaml.safe_load((MODELS / "sources" / f"{table}.yml").read_text())
    staging = yaml.safe_load((MODELS / "staging" / f"stg_{table}.yml").read_text())
    declared = {
        RENAMED.get(column["name"], column["name"])
        for column in source["sources"][0]["tables"][0]["columns"]
        if column["config"]["meta"].get("is_nullable") is False
    }
    tests = staging["models"][0]["data_tests"]
    (arguments,) = [test["has_values"]["arguments"] for test in tests if "has_values" in test]
    assert declared
    assert declared <= set(arguments["columns"])
