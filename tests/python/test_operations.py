"""Operations: curves agree with statsmodels, and random histories of jobs keep their identities."""

from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_sql import compiled_models, render
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

# Remission of the maintained AML group (Miller 1981): weeks, and whether it was seen to end.
AML = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
KEYS = "['of']"
CELLS = """
    create or replace table cells as
    select of, wait as wait_seconds, count(*) as n,
        count(*) filter (where status > 0) as n_ended,
        count(*) filter (where status = 1) as n_decided
    from waits group by all
"""


@pytest.fixture(scope="module")
def survival():
    """A function that gives the curve and the numbers of waits and how they ended, by group."""
    curve = render("{{ survival_curve('cells', " + KEYS + ") }}")
    summary = render(
        "{{ survival_summary('curve', " + KEYS + ", {'median': 0.5, 'p90': 0.1}, {'soon': 40}) }}"
    )
    variance = render("{{ incidence_variance('soon') }}")

    def of(groups):
        with duckdb.connect() as database:
            database.execute("create table waits (of int, wait bigint, status int)")
            pairs = pd.concat(  # noqa: F841
                pd.DataFrame({"of": of, "wait": wait, "status": status})
                for of, (wait, status) in enumerate(groups)
            )
            database.execute("insert into waits select * from pairs")
            database.execute(CELLS)
            database.execute(f"create table curve as {curve}")
            database.execute(f"create table summary as {summary}")
            steps = database.sql("from curve order by of, wait_seconds").df()
            numbers = database.sql(
                f"select *, {variance} as variance from summary order by of"
            ).df()
        numbers = numbers.astype(float)
        return steps, numbers

    return of


def test_the_published_example_has_its_curve_and_median(survival):
    steps, numbers = survival([AML])
    ended = steps[steps["n_ended"] > 0]
    assert [*ended["survival"].round(3)] == [0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184]
    row = numbers.iloc[0]
    assert (row["median"], row["median_ci_low"]) == (31, 13)
    assert np.isnan(row["median_ci_high"])
    assert np.isnan(row["p90"])
    assert (row["n"], row["n_ended"], row["longest_seconds"]) == (11, 7, 161)


@pytest.mark.parametrize("seed", range(4))
def test_curves_agree_with_statsmodels(survival, seed):
    """Ties, much that is open, nothing that is, and other ends that compete."""
    rng = np.random.default_rng(seed)
    groups = []
    for _ in range(15):
        n = rng.integers(5, 200)
        waits = rng.integers(0, rng.choice([20, 100, 500]), n)
        groups.append((waits, rng.choice(3, n, p=rng.dirichlet([2, 2, 2]))))
    groups.append((rng.integers(0, 50, 40), np.ones(40, dtype=int)))
    steps, numbers = survival(groups)
    n_compared = 0
    for of, (waits, status) in enumerate(groups):
        mine, row = steps[steps["of"] == of], numbers.iloc[of]
        with np.errstate(divide="ignore", invalid="ignore"):
            curve = SurvfuncRight(waits, status > 0)
            shares = CumIncidenceRight(waits, status) if (status == 1).any() else None
            for name, left in (("median", 0.5), ("p90", 0.1)):
                below = curve.surv_times[curve.surv_prob <= left + 1e-9]
                expected = below[0] if len(below) else np.nan
                assert row[name] == pytest.approx(expected, nan_ok=True)
                low, high = curve.quantile_ci(1 - left)
                if np.isfinite(low):
                    n_compared += 1
                    assert row[f"{name}_ci_low"] == low
                    high = high if np.isfinite(high) else np.nan
                    assert row[f"{name}_ci_high"] == pytest.approx(high, nan_ok=True)
        ended = mine[mine["n_ended"] > 0]
        assert ended["survival"].to_numpy() == pytest.approx(curve.surv_prob, abs=1e-12)
        is_known = curve.surv_prob > 1e-12
        errors = ended["survival"] * np.sqrt(ended["log_variance"])
        assert errors[is_known].to_numpy() == pytest.approx(curve.surv_prob_se[is_known], abs=1e-12)
        if shares is None:
            assert row["soon"] == 0
            continue
        last = np.searchsorted(shares.times, 40, side="right") - 1
        assert row["soon"] == pytest.approx(shares.cinc[0][last] if last >= 0 else 0, abs=1e-12)
        if last >= 0 and np.isfinite(shares.cinc_se[0][last]):
            assert np.sqrt(row["variance"]) == pytest.approx(shares.cinc_se[0][last], abs=1e-7)
    assert n_compared > 10


def test_a_wait_is_rounded_up_by_less_than_two_percent():
    step = render("{{ wait_step('s') }}")
    with duckdb.connect() as database:
        found = database.sql(f"select s, {step} as step from range(0, 100000) as r (s)").df()
    off = found["step"] - found["s"]
    assert (off >= 0).all()
    assert (off <= found["s"] * 0.02).all()
    kept = found["s"].isin([0, 600, 3600, 86400])
    assert (off[kept] == 0).all()


# --- random histories --------------------------------------------------------------------------

START = datetime(2026, 3, 27, 12)
ACTIONS = ["no_action", "remove", "skip", "escalate", "auto_close", "reverse", "vanish"]
MODELS = ["int_jobs__chains", "fct_jobs", "int_operations__flow", "int_operations__ages", "backlog"]
MINUTES = st.integers(-30, 4 * 24 * 60)
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", None]),
        MINUTES,
        st.booleans(),
        st.lists(st.tuples(st.sampled_from(ACTIONS), MINUTES, st.integers(0, 600)), max_size=4),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module", params=["UTC", "Europe/Dublin", "Australia/Lord_Howe"])
def world(request):
    """A function that builds the models over a history, as of some minutes after its start."""
    models = compiled_models(
        MODELS, reporting_timezone=request.param, week_starts_on="sunday", backlog_grace_hours=1
    )
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    catalog = models["fct_jobs"].relation.split(".")[0]
    database.execute(f"attach ':memory:' as {catalog}; use {catalog}")
    for schema in ("staging", "reference", "facts", "restricted", "operations"):
        database.execute(f"create schema {schema}")
    database.execute("""
        create table reference.action_codes as
        from (values ('no_action', false, null), ('remove', true, null),
            ('skip', null, 'no_decision_made'), ('escalate', null, 'no_decision_made'),
            ('auto_close', null, 'automatic_close'), ('reverse', null, 'reversal')
        ) as codes (action_code, is_enforcing, exclusion_reason);
        create table staging.stg_queues as
        from (values ('q1', 60.0, timestamp '2026-01-01', timestamp '2026-03-28 12:00'),
            ('q1', 30.0, timestamp '2026-03-28 12:00', null),
            ('q2', null, timestamp '2026-01-01', null)
        ) as queues (queue_id, target_turnaround_minutes, valid_from, valid_to);
        create table staging.int_deliveries__job_revisions (job_id text, recorded_at timestamp);
        create table staging.int_deliveries__decision_revisions (
            decision_id text, recorded_at timestamp
        )
    """)

    def build(history, as_of):
        at = START + timedelta(minutes=as_of)
        jobs, decisions = [], []
        for n, (queue, minute, is_made, visits) in enumerate(history):
            enqueued = START + timedelta(minutes=minute)
            jobs.append((f"j{n}", f"i{n % 3}", queue, enqueued, is_made))
            for k, (action, decided, late) in enumerate(visits):
                moment = START + timedelta(minutes=decided)
                known = moment + timedelta(minutes=late)
                if known <= at:
                    decisions.append((f"d{n}-{k}", f"j{n}", f"i{n % 3}", action, moment, known))
        database.execute("""
            create or replace table staging.stg_review_jobs (
                job_id text, item_id text, queue_id text, enqueued_at timestamp, is_job_made bool,
                enqueue_reason text default 'escalation', recorded_at timestamp,
                reported_policy_id text, item_type text, language text, region text,
                source_system text
            );
            create or replace table staging.stg_decisions (
                decision_id text, job_id text, item_id text, action_code text,
                decided_at timestamp, recorded_at timestamp, decided_by_type text default 'human',
                started_at timestamp
            )
        """)
        database.executemany(
            "insert into staging.stg_review_jobs (job_id, item_id, queue_id, enqueued_at, "
            "is_job_made, recorded_at) select a, b, c, d, e, d from (values (?, ?, ?, ?, ?)) "
            "as job (a, b, c, d, e)",
            jobs,
        )
        if decisions:
            database.executemany(
                "insert into staging.stg_decisions (decision_id, job_id, item_id, action_code, "
                "decided_at, recorded_at) values (?, ?, ?, ?, ?, ?)",
                decisions,
            )
        database.execute(
            "create or replace table staging.int_context__as_of as select ?::timestamp as as_of",
            [at],
        )
        for model in models.values():
            database.execute(f"create or replace table {model.relation} as {model.sql}")
        return (
            database.sql("from facts.fct_jobs").df(),
            database.sql("from operations.backlog order by calendar_date").df(),
        )

    yield build
    database.close()


@settings(max_examples=25, deadline=None)
@given(history=HISTORIES, as_of=st.integers(4 * 24 * 60, 6 * 24 * 60))
def test_a_history_of_jobs_keeps_its_identities(world, history, as_of):
    jobs, backlog = world(history, as_of)
    counted = jobs[jobs["left_out_reason"].isna()]
    assert jobs["job_id"].is_unique
    assert len(jobs) == len(history)
    everything = backlog[backlog["dimension_name"] == "overall"].set_index("calendar_date")
    queues = backlog[backlog["dimension_name"] == "queue"].groupby("calendar_date")
    for name in ("n_in", "n_out", "backlog_restated", "backlog_as_known", "n_left_out"):
        assert [*queues[name].sum()] == [*everything[name]], name
    assert everything["n_in"].sum() == len(counted)
    assert everything["n_left_out"].sum() == len(jobs) - len(counted)
    before = everything["backlog_restated"].shift(fill_value=0)
    assert (everything["backlog_restated"] == before + everything["net_flow"]).all()
    assert everything["backlog_restated"].iloc[-1] == counted["is_open"].sum()
    assert everything["backlog_as_known"].iloc[-1] == counted["is_open"].sum()
    assert (backlog["backlog_restated"] >= 0).all()
    assert (backlog["backlog_as_known"] >= 0).all()
    ages = [name for name in backlog if name.startswith("n_open_")]
    asked = backlog[backlog["n_open_below_target"].notna()]
    assert len(asked) > 0
    assert (asked[ages].sum(axis=1) == asked["backlog_restated"]).all()
    # Days of the clocks' change are as long as they are, and no other.
    assert set(everything["n_hours"]) <= {23.0, 23.5, 24.0, 24.5, 25.0}
    assert (counted["wait_seconds"] >= 0).all()


@settings(max_examples=25, deadline=None)
@given(history=HISTORIES)
def test_a_verdict_stays_once_its_time_is_over(world, history):
    """All decisions known at once: only lateness restates what was due."""
    prompt = [
        (queue, minute, is_made, [(action, at, 0) for action, at, _ in visits])
        for queue, minute, is_made, visits in history
    ]
    early, _ = world(prompt, 2 * 24 * 60)
    late, _ = world(prompt, 6 * 24 * 60)
    both = early.merge(late, on="job_id", suffixes=("", "_later"))
    now = START + timedelta(days=2)
    # A correction that is dated before the job was queued is an error of the source.
    over = both[(both["due_at"] < now) & both["left_out_reason"].isna()]
    over = over[over["left_out_reason_later"].isna()]
    assert (over["verdict"] == over["verdict_later"]).all()
    assert not over["verdict"].eq("not_due").any()


HOURS = {
    "UTC": {24.0},
    "Europe/Dublin": {23.0, 24.0, 25.0},
    "Australia/Lord_Howe": {23.5, 24.0, 24.5},
}


def test_days_on_which_clocks_change_are_as_long_as_they_are(world, request):
    """From March to October, every queue has every day."""
    _, backlog = world([("q1", 0, False, [])], 215 * 24 * 60)
    zone = request.node.callspec.params["world"]
    assert set(backlog["n_hours"]) == HOURS[zone]
    assert len(backlog) == 2 * backlog["calendar_date"].nunique()
    assert backlog["calendar_date"].diff().dt.days.max() == 1
