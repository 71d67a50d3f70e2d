"""Whatever is appealed, answered and undone: nothing is counted twice and nothing is lost."""

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_sql import compiled_models

MODELS = ["fct_appeals", "int_appeals__actions", "int_appeals__cells"]
START = pd.Timestamp("2026-02-20 23:00:00")
AS_OF = "2026-06-01 00:00:00"
OUTCOMES = ["pending", "granted", "denied", "partial", "withdrawn"]
MINUTES = st.integers(0, 60 * 24 * 90)
# Of a decision: when, the action, who decided, policy, language, and which one it replaces.
DECISIONS = st.lists(
    st.tuples(
        MINUTES,
        st.sampled_from(["remove", "ban", "no_action", "skip", "reverse", "uphold"]),
        st.sampled_from(["human", "automation", "system"]),
        st.sampled_from([None, "spam", "hate"]),
        st.sampled_from([None, "en", "de"]),
        st.one_of(st.none(), st.integers(0, 11)),
    ),
    min_size=1,
    max_size=12,
)
# Of an appeal: of which decision (some are not there), filed and answered when, how it ended.
APPEALS = st.lists(
    st.tuples(
        st.integers(0, 13),
        MINUTES,
        st.one_of(st.none(), MINUTES),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["internal", "out_of_court"]),
    ),
    max_size=15,
)
EXCLUSIONS = {"skip": "no_decision_made", "reverse": "reversal", "uphold": "appeal_answered"}


@pytest.fixture(scope="module")
def models():
    return compiled_models(MODELS)


def moment(minutes):
    return None if minutes is None else START + pd.Timedelta(minutes=minutes)


def facts(decisions, appeals):
    """The tables that the models read."""
    decided = [
        {
            "decision_id": f"d{n}", "item_id": f"i{n}", "decided_at": moment(minutes),
            "decided_on": moment(minutes).date(), "queue_id": "q", "policy_id": policy,
            "parent_policy_id": policy, "decided_by_type": by, "automation_level": None,
            "moderator_key": "m" if by == "human" else None, "language": language,
            "region": None, "item_type": None, "action_code": action, "ground": None,
            "action_group": {"remove": "enforced", "ban": "enforced", "no_action": "not_enforced"}
            .get(action),
            "is_eligible": action not in EXCLUSIONS and by != "system",
            "exclusion_reason": EXCLUSIONS.get(action)
            or ("decided_by_system" if by == "system" else None),
            "supersedes_decision_id": None if replaced in (None, n) else f"d{replaced}",
        }
        for n, (minutes, action, by, policy, language, replaced) in enumerate(decisions)
    ]  # fmt: skip
    filed = [
        {
            "appeal_id": f"a{n}", "decision_id": f"d{of}", "filed_at": moment(at),
            "decided_at": moment(answered), "outcome": outcome, "channel": channel,
            "notified_at": None, "source_system": "s", "recorded_at": moment(at),
        }
        for n, (of, at, answered, outcome, channel) in enumerate(appeals)
    ]  # fmt: skip
    return pd.DataFrame(decided), pd.DataFrame(filed)


def built(models, decisions, appeals):
    """The appeals, actions and cells of a history, by the project's SQL."""
    texts = ["notified_at", "decided_at", "filed_at", "recorded_at"]
    with duckdb.connect() as db:
        catalog = models[MODELS[0]].relation.split(".")[0]
        db.execute(f"attach if not exists ':memory:' as {catalog}; use {catalog}")
        for schema in ("facts", "staging", "restricted"):
            db.execute(f"create schema {schema}")
        decided, filed = facts(decisions, appeals)
        db.execute(
            "create table staging.int_context__as_of as select cast($1 as timestamp) as as_of",
            [AS_OF],
        )
        nulls = dict.fromkeys(
            ["policy_id", "parent_policy_id", "automation_level", "moderator_key", "language",
             "region", "item_type", "ground", "action_group", "exclusion_reason",
             "supersedes_decision_id"], "string",
        )  # fmt: skip
        decided = decided.astype(nulls)
        db.execute("create table facts.fct_decisions as from decided")
        if filed.empty:
            columns = ["appeal_id", "decision_id", "outcome", "channel", "source_system"]
            filed = pd.DataFrame(columns=[*columns, *texts], dtype="string")
        filed = filed.assign(**{name: pd.to_datetime(filed[name]) for name in texts})
        db.execute("create table staging.stg_appeals as from filed")
        for model in models.values():
            db.execute(f"create table {model.relation} as {model.sql}")
        return [db.sql(f"from {models[name].relation}").df() for name in MODELS]


@settings(max_examples=60, deadline=None)
@given(DECISIONS, APPEALS)
def test_outcomes_sum_and_every_appeal_is_counted_once(models, decisions, appeals):
    rows, actions, cells = built(models, decisions, appeals)
    assert sorted(rows["appeal_id"]) == sorted(f"a{n}" for n in range(len(appeals)))
    assert ((rows["exclusion_reason"].isna()) == rows["is_in_rates"]).all()
    counted = rows[rows["is_in_rates"]]
    outcomes = [f"n_{outcome}" for outcome in OUTCOMES]
    assert (cells[outcomes].sum(axis=1) == cells["n_appeals"]).all()
    answered = counted["answered_on"].notna() & (counted["outcome"] != "pending")
    for anchor, there in {
        "decided_at": counted,
        "filed_at": counted,
        "answered_at": counted[answered],
    }.items():
        of_anchor = cells[cells["anchor"] == anchor]
        for appellant, of in there.groupby("appellant"):
            sums = of_anchor[of_anchor["appellant"] == appellant]
            by = sums.groupby(["period_type", "dimension_name"])["n_appeals"].sum()
            dimensions = by.drop("channel", level=1, errors="ignore")
            assert (dimensions == len(of)).all(), (anchor, appellant)
            assert len(dimensions) == 3 * 6
    assert actions["n_appealed_actions"].sum() == counted.loc[
        counted["appellant"] == "affected", "decision_id"
    ].nunique()  # fmt: skip
    undone = actions["n_appealed_actions"] + actions["n_restored_without_appeal"]
    assert (undone <= actions["n_actions"]).all()
    assert (actions["n_overturned_actions"] <= actions["n_appealed_actions"]).all()


@settings(max_examples=30, deadline=None)
@given(DECISIONS, APPEALS)
def test_an_appeal_that_is_withdrawn_changes_no_overturn_rate(models, decisions, appeals):
    """Nor does one that is pending: only answers count."""
    answered = ["n_judged", "n_upheld_appeals", "n_due_to_return", "n_not_restored"]
    more = [
        *appeals,
        (0, 1000, 2000, "withdrawn", "internal"),
        (0, 1000, None, "pending", "internal"),
    ]
    before, after = (built(models, decisions, part)[2] for part in (appeals, more))
    assert (before[answered].sum() == after[answered].sum()).all()
