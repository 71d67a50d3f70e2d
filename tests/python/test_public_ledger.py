"""A public ledger's rows beside a platform's decisions: every planted difference has its name."""

import json

import duckdb
import pandas as pd
import pytest
from projects import ROOT

REAL = ROOT.parent / "shared" / "real"
STATEMENTS = REAL / "dsa_statements" / "sor-example-platform-2026-05-06-light.csv"
pytestmark = pytest.mark.skipif(
    not STATEMENTS.exists(), reason=f"the sample is not there: {STATEMENTS}"
)
RESTRICTIONS = {
    "DECISION_VISIBILITY_CONTENT_REMOVED": "remove",
    "DECISION_VISIBILITY_CONTENT_DEMOTED": "demote",
    "DECISION_ACCOUNT_TERMINATED": "ban",
    "DECISION_ACCOUNT_SUSPENDED": "suspend",
}
REASONS = {"REPORT": "user_report", "RULE_EXECUTION": "rule", "MRT_JOB": "escalation"}


def lines(name):
    with (REAL / "coop" / f"{name}.jsonl").open() as file:
        return [json.loads(line) for line in file]


def known(rows, moment):
    """The rows as a source delivers them, known when they happened."""
    table = pd.DataFrame(rows)
    for column in [name for name in table if name.endswith("_at")]:
        table[column] = pd.to_datetime(table[column], utc=True).dt.tz_localize(None)
    return table.assign(source_system="coop", recorded_at=table[moment])


def decisions():
    """The decisions of the sample, as its own expected result has them."""
    table = pd.read_csv(REAL / "coop" / "expected_decisions.csv", dtype=str)
    items = {job["id"]: job["item_id"] for job in lines("job_creations")}
    table["item_id"] = table["job_id"].map(items).fillna(table["job_id"])
    columns = ["decision_id", "job_id", "item_id", "decided_by_type", "moderator_id", "decided_at"]
    columns += ["action_code", "primary_policy_id", "supersedes_decision_id"]
    return known(table[columns].to_dict("records"), "decided_at")


def statements(ours):
    """The ledger's rows; a platform's own id has a suffix where a decision has two of them."""
    rows = duckdb.sql(f"from read_csv('{STATEMENTS}', all_varchar = true)").df()
    restriction = rows["decision_visibility"].fillna(rows["decision_account"])
    uid = rows["platform_uid"]
    is_ours = uid.isin(ours)
    table = pd.DataFrame(
        {
            "statement_id": rows["uuid"],
            "decision_id": uid.where(is_ours, uid.str.replace(r"-\d$", "", regex=True)),
            "category": rows["category"],
            "automated_decision": rows["automated_decision"],
            "restriction": restriction.str.strip('[]"').map(RESTRICTIONS),
            "source_type": rows["source_type"],
            "applied_on": pd.to_datetime(rows["application_date"]).dt.date,
            "submitted_at": rows["created_at"],
        }
    )
    return known(table.to_dict("records"), "submitted_at")


@pytest.fixture(scope="module")
def rows(new_project, make_world):
    """The differing rows of the sample."""
    world = make_world()
    long_ago = pd.Timestamp("2026-01-05")
    policies = [
        {"policy_id": one["id"], "policy_version": "1", "parent_policy_id": one.get("parent_id"),
         "valid_from": long_ago, "valid_to": None}
        for one in lines("policies")
    ]  # fmt: skip
    queues = [
        {"queue_id": one["id"], "queue_name": one["name"], "valid_from": long_ago, "valid_to": None}
        for one in lines("manual_review_queues")
    ]
    jobs = [
        {"job_id": one["id"], "item_id": one["item_id"], "item_type": "post",
         "queue_id": one["queue_id"], "enqueued_at": one["created_at"],
         "enqueue_reason": REASONS.get(one["enqueue_source_info"]["kind"], "user_report")}
        for one in lines("job_creations")
    ]  # fmt: skip
    ours = decisions()
    raw = {
        "policies": known(policies, "valid_from"),
        "queues": known(queues, "valid_from"),
        "review_jobs": known(jobs, "enqueued_at"),
        "decisions": ours,
        "statements_of_reasons": statements(set(ours["decision_id"])),
        # Required, and empty: nobody audited these.
        "audits": world["audits"].head(0),
        "sampling_frame": world["sampling_frame"].head(0),
    }
    project = new_project()
    project.deliver(raw)
    run = project.build(
        "--select", "+reconciliation_checks", "+reconciliation_rows", data_tests=False
    )
    assert run.returncode == 0, run.stdout
    found = project.query(
        "from restricted.reconciliation_rows where check_name = 'decisions_to_statements'"
    )
    totals = project.query(
        "select sum(left_value) as n_left, sum(right_value) as n_right, "
        "sum(difference) as difference from reconciliation.reconciliation_checks "
        "where check_name = 'decisions_to_statements' and dimension_name = 'overall'"
    ).iloc[0]
    named = project.query(
        "select sum(difference) as difference from reconciliation.reconciliation_checks "
        "where check_name = 'decisions_to_statements' and dimension_name = 'reason'"
    ).iloc[0]
    return found, totals, named


def test_the_planted_differences_are_named_and_no_others(rows):
    found = {
        (row.row_id[:8] if row.table_name == "decisions" else row.row_id[-2:], row.reason_code)
        for row in rows[0].itertuples()
    }
    assert found == {
        ("03", "several_statements"),
        ("04", "automation_differs"),
        ("04", "submitted_late"),
        ("05", "source_differs"),
        ("5f00000f", "not_in_scope"),
        ("06", "action_differs"),
        ("07", "day_differs"),
        ("08", "no_decision"),
    }


def test_what_is_named_adds_up_to_the_difference(rows):
    _, totals, named = rows
    assert (totals["n_left"], totals["n_right"]) == (7, 8)
    assert named["difference"] == totals["difference"] == -1
