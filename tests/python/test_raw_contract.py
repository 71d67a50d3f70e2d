"""What a user gets for raw data that breaks the contract, and for the data that may be absent."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal

MODELS = Path(__file__).parents[2] / "models"
MARTS = ("rates.accuracy_rates", "facts.fct_audits", "facts.fct_decisions")
# All that the marts are made of, and nothing else.
BEHIND_THE_MARTS = ("--select", "+accuracy_rates", "+fct_audits", "+fct_decisions")


def assert_same_marts(project, week):
    for mart in MARTS:
        expected = week.table(mart)
        assert len(expected) > 0, mart
        assert_frame_equal(project.table(mart), expected, obj=mart)


def overall(project):
    """The headline row: accuracy of the week, overall."""
    rows = project.query(
        "from rates.accuracy_rates where metric_id = 'accuracy' and metric_version = 1 "
        "and period_type = 'week' and dimension_name = 'overall'"
    )
    return rows.iloc[0]


def test_the_small_world_has_the_rate_that_a_hand_computes(week):
    # Of 14 audits in the stratum of 40 decisions 2 found an error, and one of these was overturned;
    # of 40 in the stratum of 120, 4 did, and a fifth in its second revision.
    strata = week.query(
        "select stratum_key, count(*) as n, sum(n_correct) as k from facts.fct_audits group by all"
    )
    assert sorted(zip(strata["n"], strata["k"], strict=True)) == [(14, 13), (40, 35)]
    assert overall(week)["estimate"] == pytest.approx((40 * 13 / 14 + 120 * 35 / 40) / 160)


def test_csv_gives_the_same_marts(new_project, world, week):
    project = new_project()
    project.deliver(world, kind="csv")
    run = project.build(*BEHIND_THE_MARTS, data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, week)


def test_a_warehouse_schema_gives_the_same_marts(new_project, world, week):
    project = new_project()
    with duckdb.connect(project.warehouse) as connection:
        connection.sql("create schema landing")
        for name, table in world.items():
            connection.register("delivered", table)
            connection.sql(f"create table landing.{name} as from delivered")
    run = project.build(*BEHIND_THE_MARTS, "--vars", "{raw_schema: landing}", data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, week)


def test_exact_duplicates_change_no_mart(new_project, world, week):
    project = new_project()
    project.deliver({name: pd.concat([table, table.head(50)]) for name, table in world.items()})
    run = project.build(*BEHIND_THE_MARTS, data_tests=False)
    assert run.returncode == 0, run.stdout
    assert_same_marts(project, week)


def test_absent_optional_tables_and_columns_read_as_empty(new_project, world, week):
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
    assert overall(project)["estimate"] == pytest.approx(overall(week)["estimate"] - 40 / 14 / 160)


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
        'audits.revision_no: 1 values cannot be read as bigint (they are double), such as "9.9" '
        "in audit_id/revision_no a009/1.5",
        "decisions.decided_at: 2 values cannot be read as timestamp (they are varchar), such as "
        '"aaaaaaaaa" in decision_id d007; "99.99.9999" in decision_id d008. Wanted: '
        "YYYY-MM-DD HH:MM:SS, UTC, such as 2026-03-02 09:00:00, or with Z or an offset such as "
        "+09:00. Correct them",
        "Allowed in truth_action_code: no_action, label, age_restrict,",
        "Where none was kept: derive_sampling_frame: true counts one",
    ],
    ids=[
        "missing_table",
        "missing_column",
        "fraction_for_a_bigint",
        "text_for_a_timestamp",
        "allowed_values",
        "derived_frame",
    ],
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
    assert "audits: both Parquet and CSV files" in run.stdout
    assert project.tables() == set()


# Rows that are wrong, each in a table or a column of its own: the test that names them, what it
# shows of the row, and what it says to do.
BAD_ROWS = {
    "decisions_are_not_contradicted": [
        "decision_id=d005, recorded_at=2026-03-02 05:01:00, n_versions=2, "
        "differs_in=action_code, primary_policy_id",
        "Ask the source which row of raw decisions holds",
    ],
    "decisions_have_a_known_action_code": [
        "decision_id=d006, action_code=shadowban, ",
        "decision_id=d008, action_code=shadowban, ",
        "n_tolerated=1",
        "add a row to seeds/action_codes.csv",
    ],
    "decisions_are_not_dated_in_the_future": [
        "decision_id=d007, decided_at=2026-03-02 08:00:00, recorded_at=2026-03-02 07:01:00",
        "in the source of raw decisions",
    ],
    "audits_have_a_known_decision": [
        "audit_id=a006, revision_no=1, decision_id=d999",
        "Deliver the decision",
    ],
}


@pytest.fixture(scope="module")
def with_bad_rows(new_project, make_world):
    world = make_world()
    decisions = world["decisions"]
    contradicting = decisions.iloc[[5]].assign(action_code="remove", primary_policy_id="hate")
    decisions.loc[[6, 8], "action_code"] = "shadowban"
    decisions.loc[7, "decided_at"] += pd.Timedelta(hours=1)
    world["audits"].loc[2, "decision_id"] = "d999"
    world["decisions"] = pd.concat([decisions, contradicting], ignore_index=True)
    project = new_project()
    project.deliver(world)
    return project, project.build()


@pytest.mark.parametrize("failing_test", BAD_ROWS)
def test_bad_rows_fail_a_named_test(with_bad_rows, failing_test):
    project, run = with_bad_rows
    told = " ".join(run.stdout.split())
    assert f"FAIL {failing_test}: " in told, run.stdout
    for part in BAD_ROWS[failing_test]:
        assert part in told, run.stdout
    # It would stop the rates alone too: an error, on a model that they are made of.
    (test,) = (node for node in project.parsed.nodes.values() if node["name"] == failing_test)
    assert test["config"]["severity"].lower() == "error"
    assert test["attached_node"] in ancestors("accuracy_cells", project.parsed.nodes)


def ancestors(name, nodes):
    """The ids of all that a model is made of."""
    found, waiting = set(), [key for key, node in nodes.items() if node["name"] == name]
    while waiting:
        parents = nodes.get(waiting.pop(), {}).get("depends_on", {}).get("nodes", [])
        waiting += [parent for parent in parents if parent not in found]
        found.update(parents)
    return found


def test_bad_rows_fail_no_other_test_and_no_rate_is_built(with_bad_rows):
    project, run = with_bad_rows
    assert run.returncode == 1
    failed = {name for name, status in run.statuses.items() if status == "fail"}
    assert failed == {*BAD_ROWS}
    assert not {"accuracy_cells", "accuracy_estimates", "accuracy_rates"} & project.tables()


def test_a_row_in_a_hundred_that_is_left_out_by_name_only_warns(new_project, world, week):
    project = new_project()
    world["decisions"].loc[1, "action_code"] = "shadowban"
    project.deliver(world)
    run = project.build()
    assert run.returncode == 0, run.stdout
    warned = {name for name, status in run.statuses.items() if status == "warn"}
    # The small world audits every third decision, and so one of three people, and says of none of
    # its errors how grave it is.
    of_the_world = {"audits_are_chosen_by_chance", "flags_are_filled"}
    assert warned - of_the_world == {"decisions_have_a_known_action_code"}
    left_out = project.query(
        "select reason_code, n_excluded from explain.exclusions where period_type = 'week' "
        "and dimension_name = 'overall' and applies_to = 'decision'"
    )
    assert left_out.to_dict("list") == {"reason_code": ["unknown_action_code"], "n_excluded": [1]}


STAGED = sorted(file.stem.removeprefix("stg_") for file in (MODELS / "staging").glob("stg_*.yml"))
RENAMED = {"person_id": "person_key", "rater_id": "rater_key", "moderator_id": "moderator_key"}


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


# What makes each test of staging fail: a table, and how a further row of it differs from its first.
# The row gets a key of its own unless it says otherwise.
LAST_YEAR = pd.Timestamp("2025-06-01")
NEXT_YEAR = pd.Timestamp("2027-06-01")
ROT = {
    "queues_have_one_row_each": ("queues", {"queue_id": None}),
    "queues_are_not_contradicted": ("queues", {"queue_id": "hate", "queue_name": "Hat"}),
    "queues_have_the_required_values": ("queues", {"source_system": None}),
    "queue_periods_end_after_they_begin": ("queues", {"valid_to": LAST_YEAR}),
    "queue_periods_do_not_overlap": ("queues", {"queue_id": "hate", "valid_from": NEXT_YEAR}),
    "queue_targets_are_in_their_units": ("queues", {"target_accuracy": 95.0}),
    "policies_have_one_row_each": ("policies", {"policy_id": None}),
    "policies_are_not_contradicted": ("policies", {"policy_id": "abuse", "severity": "low"}),
    "policies_have_the_required_values": ("policies", {"source_system": None}),
    "policy_versions_end_after_they_begin": ("policies", {"valid_to": LAST_YEAR}),
    "policy_versions_do_not_overlap": ("policies", {"policy_id": "abuse", "policy_version": "2"}),
    "policies_have_a_known_parent": ("policies", {"parent_policy_id": "ghost"}),
    "policies_have_a_known_severity": ("policies", {"severity": "bad"}),
    "roster_entries_have_one_row_each": ("roster", {"person_id": None}),
    "roster_entries_are_not_contradicted": ("roster", {"person_id": "mod-0", "site": "lagos"}),
    "roster_entries_have_the_required_values": ("roster", {"source_system": None}),
    "roster_people_are_pseudonymised": ("roster", {}),
    "roster_entries_have_a_known_role": ("roster", {"role": "boss"}),
    "roster_periods_end_after_they_begin": ("roster", {"valid_to": LAST_YEAR}),
    "roster_periods_do_not_overlap": ("roster", {"person_id": "mod-0", "valid_from": NEXT_YEAR}),
    "jobs_have_one_row_each": ("review_jobs", {"job_id": None}),
    "jobs_are_not_contradicted": ("review_jobs", {"job_id": "j000", "item_type": "image"}),
    "jobs_have_the_required_values": ("review_jobs", {"item_id": None}),
    "jobs_have_a_known_enqueue_reason": ("review_jobs", {"enqueue_reason": "chance"}),
    "jobs_have_a_known_queue": ("review_jobs", {"queue_id": "ghost"}),
    "jobs_are_not_dated_in_the_future": ("review_jobs", {"enqueued_at": NEXT_YEAR}),
    "jobs_follow_their_item": ("review_jobs", {"item_created_at": NEXT_YEAR}),
    "job_views_are_counts": ("review_jobs", {"views_at_enqueue": -1}),
    "decisions_have_one_row_each": ("decisions", {"decision_id": None}),
    "decisions_are_not_contradicted": ("decisions", {"decision_id": "d000", "action_code": "ban"}),
    "decisions_have_the_required_values": ("decisions", {"source_system": None}),
    "moderators_are_pseudonymised": ("decisions", {}),
    "decisions_are_by_a_known_kind_of_decider": ("decisions", {"decided_by_type": "robot"}),
    "decisions_have_a_known_action_code": ("decisions", {"action_code": "shadowban"}),
    "decisions_have_a_known_job": ("decisions", {"job_id": "ghost"}),
    "decisions_have_a_policy_in_force": ("decisions", {"decided_at": LAST_YEAR}),
    "decisions_supersede_a_known_decision": ("decisions", {"supersedes_decision_id": "ghost"}),
    "decisions_are_not_dated_in_the_future": ("decisions", {"decided_at": NEXT_YEAR}),
    "decisions_begin_before_they_end": ("decisions", {"started_at": NEXT_YEAR}),
    "decision_measures_are_possible": ("decisions", {"confidence": 90.0}),
    "audits_have_one_row_each": ("audits", {"audit_id": None}),
    "audits_are_not_contradicted": ("audits", {"audit_id": "a000", "is_blind": False}),
    "audits_have_the_required_values": ("audits", {"source_system": None}),
    "auditors_are_pseudonymised": ("audits", {}),
    "audits_have_a_known_decision": ("audits", {"decision_id": "ghost"}),
    "audits_are_not_dated_in_the_future": ("audits", {"audited_at": NEXT_YEAR}),
    "audits_have_a_known_sampling_method": ("audits", {"sampling_method": "hunch"}),
    "audits_chosen_on_purpose_have_no_plan": ("audits", {"sampling_method": "targeted"}),
    "audits_have_a_known_status": ("audits", {"audit_status": "open"}),
    "audits_saw_a_known_policy": ("audits", {"decided_policy_id": "Hate"}),
    "audits_find_a_known_policy_right": ("audits", {"truth_policy_id": "hate "}),
    "audits_saw_a_known_action_code": ("audits", {"decided_action_code": "shadowban"}),
    "audits_find_a_known_action_right": ("audits", {"truth_action_code": "skip"}),
    "audits_have_known_grades": ("audits", {"severity": "huge"}),
    "audit_probabilities_are_possible": ("audits", {"inclusion_probability": 0.0}),
    "audit_scores_have_one_row_each": ("audit_scores", {"category_id": None}),
    "audit_scores_are_not_contradicted": ("audit_scores", {"category_id": "tone", "score": 4.0}),
    "audit_scores_have_the_required_values": ("audit_scores", {"source_system": None}),
    "audit_scores_have_a_known_audit": ("audit_scores", {"audit_id": "ghost"}),
    "audit_scores_are_on_their_scale": ("audit_scores", {"weight": float("inf")}),
    "audit_scores_say_what_is_critical": ("audit_scores", {}),
    "disputes_have_one_row_each": ("disputes", {"dispute_id": None}),
    "disputes_are_not_contradicted": ("disputes", {"dispute_id": "x1", "outcome": "upheld"}),
    "disputes_have_the_required_values": ("disputes", {"source_system": None}),
    "disputes_have_a_known_audit": ("disputes", {"audit_id": "ghost"}),
    "disputes_are_not_dated_in_the_future": ("disputes", {"filed_at": NEXT_YEAR}),
    "disputes_have_a_known_outcome": ("disputes", {"outcome": "open"}),
    "overturned_disputes_say_what_is_right": ("disputes", {"final_action_code": None}),
    "disputes_find_a_known_policy_right": ("disputes", {"final_policy_id": "N/A"}),
    "disputes_find_a_known_action_right": ("disputes", {"final_action_code": "escalate"}),
    "disputes_are_filed_before_they_are_resolved": ("disputes", {"resolved_at": LAST_YEAR}),
    "ratings_have_one_row_each": ("calibration_ratings", {"item_id": None}),
    "ratings_are_not_contradicted": (
        "calibration_ratings",
        {"item_id": "i001", "action_code": "ban"},
    ),
    "ratings_have_the_required_values": ("calibration_ratings", {"source_system": None}),
    "raters_are_pseudonymised": ("calibration_ratings", {}),
    "ratings_are_not_dated_in_the_future": ("calibration_ratings", {"rated_at": NEXT_YEAR}),
    "ratings_name_a_known_policy": ("calibration_ratings", {"policy_id": "hatred"}),
    "ratings_have_a_known_action_code": ("calibration_ratings", {"action_code": "shadowban"}),
    "ratings_have_known_grades": ("calibration_ratings", {"severity": "huge"}),
    "golden_results_have_one_row_each": ("golden_results", {"golden_id": None}),
    "golden_results_are_not_contradicted": (
        "golden_results",
        {"golden_id": "g001", "answer_action_code": "ban"},
    ),
    "golden_results_have_the_required_values": ("golden_results", {"source_system": None}),
    "golden_moderators_are_pseudonymised": ("golden_results", {}),
    "golden_results_are_not_dated_in_the_future": ("golden_results", {"served_at": NEXT_YEAR}),
    "golden_keys_name_a_known_policy": ("golden_results", {"true_policy_id": "hatred"}),
    "golden_answers_name_a_known_policy": ("golden_results", {"answer_policy_id": "hatred"}),
    "golden_keys_are_known_actions": ("golden_results", {"true_action_code": "escalate"}),
    "golden_answers_are_known_actions": ("golden_results", {"answer_action_code": "shadowban"}),
    "appeals_have_one_row_each": ("appeals", {"appeal_id": None}),
    "appeals_are_not_contradicted": ("appeals", {"appeal_id": "p1", "outcome": "denied"}),
    "appeals_have_the_required_values": ("appeals", {"source_system": None}),
    "appeals_are_not_dated_in_the_future": ("appeals", {"filed_at": NEXT_YEAR}),
    "appeals_have_a_known_outcome": ("appeals", {"outcome": "Granted"}),
    "appeals_have_a_known_channel": ("appeals", {"channel": "Internal"}),
    "decisions_have_known_grounds_and_automation": ("decisions", {"ground": "law"}),
    "decision_actions_have_one_row_each": ("decision_actions", {"action_code": None}),
    "decision_actions_are_not_contradicted": (
        "decision_actions",
        {"decision_id": "d000", "is_primary": False},
    ),
    "decision_actions_have_the_required_values": ("decision_actions", {"source_system": None}),
    "decision_actions_have_a_known_code": ("decision_actions", {"action_code": "shadowban"}),
    "reports_have_one_row_each": ("reports", {"report_id": None}),
    "reports_are_not_contradicted": ("reports", {"report_id": "r1", "is_legal_notice": True}),
    "reports_have_the_required_values": ("reports", {"item_id": None}),
    "reports_are_not_dated_in_the_future": ("reports", {"reported_at": NEXT_YEAR}),
    "reports_have_a_known_reporter": ("reports", {"reporter_kind": "User"}),
    "shift_hours_have_one_row_each": ("shift_hours", {"person_id": None}),
    "shift_hours_are_not_contradicted": (
        "shift_hours",
        {"person_id": "mod-0", "paid_seconds": 3600},
    ),
    "shift_hours_have_the_required_values": ("shift_hours", {"source_system": None}),
    "shift_people_are_pseudonymised": ("shift_hours", {}),
    "shift_hours_are_parts_of_a_day": ("shift_hours", {"productive_seconds": 90001}),
    "decision_policies_have_one_row_each": ("decision_policies", {"policy_id": None}),
    "decision_policies_are_not_contradicted": (
        "decision_policies",
        {"decision_id": "d000", "is_primary": False},
    ),
    "decision_policies_have_the_required_values": ("decision_policies", {"source_system": None}),
    "statements_have_one_row_each": ("statements_of_reasons", {"statement_id": None}),
    "statements_are_not_contradicted": (
        "statements_of_reasons",
        {"statement_id": "s1", "category": "another"},
    ),
    "statements_have_the_required_values": ("statements_of_reasons", {"source_system": None}),
    "statements_are_not_dated_in_the_future": (
        "statements_of_reasons",
        {"submitted_at": NEXT_YEAR},
    ),
    "control_totals_have_one_row_each": ("control_totals", {"measure": None}),
    "control_totals_are_not_contradicted": (
        "control_totals",
        {"measure": "row_count", "value": 2.0},
    ),
    "control_totals_have_the_required_values": ("control_totals", {"value": None}),
    "control_totals_are_not_dated_in_the_future": ("control_totals", {"reported_at": NEXT_YEAR}),
    # With the stratum of the next row, one key: weekly|x|y.
    "strata_have_one_row_each": ("sampling_frame", {"plan_id": "weekly|x", "stratum_id": "y"}),
    "strata_do_not_overlap": ("sampling_frame", {"stratum_id": "x|y"}),
    "strata_are_not_contradicted": (
        "sampling_frame",
        {"stratum_id": "enforced", "population_size": 41},
    ),
    "strata_have_the_required_values": ("sampling_frame", {"source_system": None}),
    "strata_periods_end_after_they_begin": ("sampling_frame", {"period_end": LAST_YEAR}),
    "strata_are_drawn_at_random": ("sampling_frame", {"sampling_method": "targeted"}),
    "strata_are_defined_in_known_terms": ("sampling_frame", {"action_group": "some"}),
    "strata_have_a_known_queue": ("sampling_frame", {"queue_id": "ghost"}),
    "strata_sizes_are_counts": ("sampling_frame", {"population_size": -1}),
    "strata_are_framed_after_their_period": ("sampling_frame", {"period_end": NEXT_YEAR}),
    "strata_are_not_dated_in_the_future": ("sampling_frame", {"framed_at": NEXT_YEAR}),
}
OWN_KEY = {
    "queues": "queue_id",
    "policies": "policy_id",
    "roster": "person_id",
    "review_jobs": "job_id",
    "decisions": "decision_id",
    "audits": "audit_id",
    "disputes": "dispute_id",
    "sampling_frame": "stratum_id",
    "calibration_ratings": "item_id",
    "audit_scores": "category_id",
    "golden_results": "golden_id",
    "appeals": "appeal_id",
    "decision_actions": "decision_id",
    "reports": "report_id",
    "shift_hours": "person_id",
    "decision_policies": "decision_id",
    "statements_of_reasons": "statement_id",
    "control_totals": "measure",
}
# They fail where there is no row at all; the generic test shows that it does.
FAIL_ON_EMPTY = {"there_are_decisions", "there_are_audits"}
# It asks nothing of a source that names no moderator, which this one does not seem to do for want
# of a key.
SHOWN_BELOW = {"human_decisions_name_their_moderator"}


def drop_lines(file, text):
    """Replace a file (perhaps a link to the project's own) by one without the lines with a text."""
    kept = [line for line in file.read_text().splitlines() if text not in line]
    file.unlink()
    file.write_text("\n".join(kept))


def test_every_test_of_staging_fails_on_a_row_made_for_it(new_project, world):
    world["calibration_ratings"] = pd.DataFrame(
        {
            "session_id": ["s1"],
            "item_id": ["i001"],
            "rater_id": ["mod-0"],
            "rater_role": ["moderator"],
            "action_code": ["remove"],
            "policy_id": ["hate"],
            "severity": ["low"],
            "rated_at": [pd.Timestamp("2026-03-04")],
            "source_system": ["test"],
            "recorded_at": [pd.Timestamp("2026-03-05")],
        }
    )
    world["audit_scores"] = (
        world["audits"]
        .head(1)[["audit_id", "revision_no"]]
        .assign(
            category_id="tone",
            score=3.0,
            scale_min=1.0,
            scale_max=5.0,
            weight=1.0,
            source_system="test",
            recorded_at=pd.Timestamp("2026-03-05"),
        )
    )
    world["golden_results"] = pd.DataFrame(
        {
            "golden_id": ["g001"],
            "moderator_id": ["mod-0"],
            "served_at": [pd.Timestamp("2026-03-04")],
            "answer_action_code": ["remove"],
            "true_action_code": ["remove"],
            "source_system": ["test"],
            "recorded_at": [pd.Timestamp("2026-03-05")],
        }
    )
    known = {"source_system": ["test"], "recorded_at": [pd.Timestamp("2026-03-05")]}
    day = [pd.Timestamp("2026-03-04")]
    world["appeals"] = pd.DataFrame(
        {"appeal_id": ["p1"], "decision_id": ["d000"], "filed_at": day, "outcome": ["granted"]}
        | known
    )
    world["decision_actions"] = pd.DataFrame(
        {"decision_id": ["d000"], "action_code": ["remove"], "is_primary": [True]} | known
    )
    world["reports"] = pd.DataFrame(
        {"report_id": ["r1"], "item_id": ["i001"], "reported_at": day, "reporter_kind": ["user"]}
        | {"is_legal_notice": [False]}
        | known
    )
    world["shift_hours"] = pd.DataFrame(
        {"person_id": ["mod-0"], "work_date": ["2026-03-04"], "paid_seconds": [28800]}
        | {"productive_seconds": [20000], "wellness_seconds": [900]}
        | known
    )
    world["decision_policies"] = pd.DataFrame(
        {"decision_id": ["d000"], "policy_id": ["hate"], "is_primary": [True]} | known
    )
    world["statements_of_reasons"] = pd.DataFrame(
        {"statement_id": ["s1"], "decision_id": ["d000"], "category": ["one"], "submitted_at": day}
        | known
    )
    world["control_totals"] = pd.DataFrame(
        {
            "table_name": ["decisions"],
            "business_date": ["2026-03-02"],
            "measure": ["row_count"],
            "value": [1.0],
            "reported_at": day,
        }
        | known
    )
    for failing_test, (table, changes) in ROT.items():
        row = world[table].iloc[[0]].assign(**{OWN_KEY[table]: failing_test} | changes)
        world[table] = pd.concat([world[table], row], ignore_index=True)
    project = new_project()
    project.deliver(world)
    # No key for the pseudonyms, and nothing that asks for it before the run.
    drop_lines(project.folder / "profiles.yml", "VARIABLE pseudonym_key")
    manifest = project.parsed.manifest()
    del manifest.nodes["operation.moderation_quality.moderation_quality-on-run-start-0"]
    run = project.build("--select", "+staging", "action_codes", manifest=manifest, own_profile=True)
    found = run.statuses
    written = {
        test[kind]["name"]
        for file in (MODELS / "staging").glob("stg_*.yml")
        for test in yaml.safe_load(file.read_text())["models"][0]["data_tests"]
        for kind in test
    }
    assert written == set(ROT) | FAIL_ON_EMPTY | SHOWN_BELOW
    missed = {name: found.get(name) for name in ROT if found.get(name) not in ("fail", "warn")}
    assert missed == {}
    assert "What to do:" in run.stdout


def test_an_empty_pseudonym_key_is_refused(new_project, world):
    project = new_project()
    project.deliver(world)
    profile = project.folder / "profiles.yml"
    emptied = profile.read_text().replace("'sample-data-only'", "''")
    assert emptied != profile.read_text()
    profile.unlink()
    profile.write_text(emptied)
    run = project.build("--select", "stg_decisions", own_profile=True)
    assert run.returncode == 2
    assert "DBT_ENV_SECRET_PSEUDONYM_KEY is empty" in run.stdout
    assert project.tables() == set()


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_blank_moderator_is_no_person_in_any_format(new_project, world, kind):
    project = new_project()
    world["decisions"].loc[[3, 4, 5], "moderator_id"] = ""
    project.deliver(world, kind)
    run = project.build("--select", "+stg_decisions", "action_codes")
    if kind == "parquet":
        by_type = project.table("staging.stg_decisions")["decided_by_type"].value_counts()
        assert by_type["system"] == 3
    else:
        # A CSV file that does not quote its blanks cannot say it; the build asks.
        assert run.returncode == 1
        assert "FAIL human_decisions_name_their_moderator: 3 rows" in run.stdout


def test_no_persons_id_is_shown(new_project, world):
    project = new_project()
    world["roster"]["hired_on"] = "no date"
    project.deliver(world)
    run = project.dbt_as_a_user("build")
    assert run.returncode == 2
    assert "roster.hired_on" in run.stdout
    log = (project.folder / "logs" / "dbt.log").read_text()
    assert "mod-0" not in run.stdout + log
    assert "sample-data-only" not in run.stdout + log.replace("= 'sample-data-only'", "")


def test_the_sample_key_is_warned_of_where_the_data_are_not_the_sample(new_project, world):
    project = new_project()
    project.deliver(world)
    (project.folder / "data" / "raw").rename(project.folder / "data" / "ours")
    run = project.build(
        "--select", "stg_queues", "--vars", "{raw_path: data/ours}", data_tests=False
    )
    assert run.returncode == 0, run.stdout
    assert "public sample key" in run.stdout


def test_a_profile_without_the_pseudonym_key_is_refused(new_project, world):
    project = new_project()
    project.deliver(world)
    drop_lines(project.folder / "profiles.yml", "VARIABLE pseudonym_key")
    run = project.build("--select", "stg_decisions", own_profile=True)
    assert run.returncode == 2
    assert "does not reach the session" in run.stdout
    assert project.tables() == set()


def test_the_reporting_day_is_local(new_project, world):
    """In Dublin a decision at 23:30 UTC on a summer evening is the next day's; in winter not."""
    project = new_project()
    decided_at = {"d000": "2026-07-01 23:30", "d001": "2026-01-01 23:30"}
    for decision, moment in decided_at.items():
        is_this = world["decisions"]["decision_id"] == decision
        world["decisions"].loc[is_this, "decided_at"] = pd.Timestamp(moment)
    project.deliver(world)
    dublin = ["--vars", "reporting_timezone: Europe/Dublin"]
    run = project.build("--select", "+stg_decisions", *dublin, data_tests=False)
    assert run.returncode == 0, run.stdout
    found = project.query(
        "select decision_id, cast(decided_on as varchar) as decided_on "
        "from staging.stg_decisions where decision_id in ('d000', 'd001')"
    )
    assert dict(found.itertuples(index=False)) == {"d000": "2026-07-02", "d001": "2026-01-01"}
