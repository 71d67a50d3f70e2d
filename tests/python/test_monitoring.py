"""The scan for changes of error rates, and what it says of them, on small worlds made by hand.

The models' SQL is run as it is, on tables of audits and slices; the oracle recomputes all of it.
"""

from functools import cache
from itertools import combinations, product

import duckdb
import numpy as np
import oracle
import pandas as pd
import pytest
from oracles import scan
from project_sql import compiled_models, render

START = pd.Timestamp("2026-01-05")
SLICE = scan.SLICE
WINDOW = ["window_starts_on", "window_ends_on"]
MODELS = [
    "slice_days", "int_monitoring__windows", "int_monitoring__risk_rates",
    "int_monitoring__first_scan", "int_monitoring__scan", "int_monitoring__peaks",
    "int_monitoring__first_days", "int_monitoring__episodes", "int_monitoring__explained",
    "int_monitoring__drivers", "int_monitoring__impact", "int_monitoring__kinds", "alerts",
    "alert_drivers", "monitored_slices",
]  # fmt: skip
OUTSIDE = ["audit_slices", "dim_calendar", "int_sampling__strata", "feed_alarms", "stg_policies",
           "int_context__as_of", "dim_queues", "dim_policies"]  # fmt: skip
# Of what the oracle recomputes: the keys of its rows.
KEYS = {
    "int_monitoring__first_scan": [*SLICE, "window_ends_on", "window_days"],
    "int_monitoring__scan": [*SLICE, "window_ends_on", "direction"],
    "int_monitoring__episodes": ["episode_id"],
    "int_monitoring__explained": ["episode_id"],
    "int_monitoring__drivers": ["comparison_id", "driver_round", "driver_rank"],
    "int_monitoring__impact": ["episode_id"],
    "alerts": ["alert_id"],
    "alert_drivers": ["alert_id", "driver_round", "driver_rank"],
    "monitored_slices": SLICE,
}
# Sums of squared weights are rounded to thirty binary digits.
ALLOWED = {"int_monitoring__impact": 1e-8}
# Shorter, so that a world is small. The thresholds are what they are.
SHORT = scan.Settings(windows=(4, 7, 14, 28), baseline_days=35, learning_days=14)


@cache
def sql_of(settings: scan.Settings) -> dict:
    """The models, with the variables of these settings."""
    return compiled_models(
        MODELS + OUTSIDE,
        scan_windows=[*settings.windows],
        scan_baseline_days=settings.baseline_days,
        scan_learning_days=settings.learning_days,
        scan_natural_variation=settings.natural_variation,
        alert_z=settings.alert_z,
        strong_z=settings.strong_z,
    )


def audits(*, days=98, a_day=12, seed=0, rate=0.12, people=12, incidents=()):
    """Random audits in three queues, two sites and two languages.

    Args:
        days: how many days.
        a_day: audits a day.
        seed: of the random numbers.
        rate: the mean error rate; queues differ.
        people: how many decide; a third of the audits are of automation.
        incidents: (column, value, first day, last day, factor) of changed error rates.
    """
    rng = np.random.default_rng(seed)
    n = days * a_day
    rows = pd.DataFrame(
        {
            "audit_id": [f"a{i}" for i in range(n)],
            "day": np.repeat(np.arange(days), a_day),
            "queue": rng.choice(["q1", "q2", "q3"], n, p=[0.5, 0.3, 0.2]),
            "language": rng.choice(["de", "en"], n, p=[0.3, 0.7]),
            "auditor_key": rng.choice(["x", "y"], n),
            "person": rng.integers(0, people, n),
        }
    )
    rows["site"] = np.where(rows["person"] % 3 == 0, "dublin", "manila")
    rows["decided_by"] = rng.choice(["human", "automation"], n, p=[0.7, 0.3])
    of_error = rate * rows["queue"].map({"q1": 0.7, "q2": 1.0, "q3": 1.6})
    for column, value, first, last, factor in incidents:
        hit = (rows[column] == value) & rows["day"].between(first, last)
        of_error = of_error.mask(hit, of_error * factor)
    rows["n_errors"] = (rng.random(n) < of_error).astype(int)
    return rows


def slices_of(rows):
    """The table audit_slices of such audits; weekly strata of ten decisions an audit."""
    human = rows["decided_by"] == "human"
    kept = pd.DataFrame(
        {
            "audit_id": rows["audit_id"],
            "decided_on": START + pd.to_timedelta(rows["day"], unit="D"),
            "risk_cell": "weekly | " + rows["queue"],
            "stratum_key": rows["queue"] + "|" + (rows["day"] // 7).astype(str),
            "moderator_key": ("m" + rows["person"].astype(str)).where(human),
            "auditor_key": rows["auditor_key"],
            "weight": 10.0,
            "n_errors": rows["n_errors"].astype("int64"),
        }
    )
    site = rows["site"].where(human)
    values = {
        "overall": pd.Series("all", index=rows.index),
        "queue": rows["queue"],
        "site": site,
        "language": rows["language"],
        "decided_by": rows["decided_by"],
        # The same audits as the queue, by another name.
        "truth_policy": "policy of " + rows["queue"],
        "queue_and_decider": rows["queue"] + " | " + rows["decided_by"],
        "site_and_language": site + " | " + rows["language"],
    }
    parts = [
        kept.assign(dimension_name=name, dimension_value=value)[value.notna()]
        for name, value in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def accepted(*changes):
    """Accepted changes, of (dimension, value, first day)."""
    rows = [
        (name, value, START + pd.Timedelta(days=day), "lead", "a policy")
        for name, value, day in changes
    ]
    columns = [*SLICE, "from_day", "accepted_by", "reason"]
    return pd.DataFrame(rows, columns=columns)


def build(slices, *, days=98, changes=None, settings=SHORT, edit=None, models=MODELS):
    """The models' tables, by name.

    Args:
        slices: audit_slices.
        days: of the calendar.
        changes: accepted_changes.
        settings: the variables.
        edit: a function of a model's name and SQL that gives other SQL.
        models: which.
    """
    changes = accepted() if changes is None else changes
    sql = sql_of(settings)
    strata = slices[slices["dimension_name"] == "overall"].groupby("stratum_key")["audit_id"]
    strata = strata.nunique().rename("n_audits").reset_index()
    strata = strata.assign(
        design_key="d", queue_key=strata["stratum_key"], population_size=strata["n_audits"] * 10
    )
    types = {"audit_id": "string", "stratum_key": "string", "moderator_key": "string",
             "auditor_key": "string", "risk_cell": "string", "dimension_name": "string",
             "dimension_value": "string", "n_errors": "int64", "weight": float}  # fmt: skip
    with duckdb.connect() as db:
        catalog = sql["alerts"].relation.split(".")[0]
        db.execute(f"attach if not exists ':memory:' as {catalog}; use {catalog}")
        for schema in {model.relation.split(".")[1] for model in sql.values()} | {"reference"}:
            db.execute(f"create schema if not exists {schema}")
        db.register("given_slices", slices.astype(types))
        db.register("given_changes", changes.astype({name: "string" for name in SLICE}))
        db.register(
            "given_strata", strata.astype({"n_audits": "int64", "population_size": "int64"})
        )
        last = START + pd.Timedelta(days=days - 1)
        tables = {
            sql["audit_slices"].relation: "select * replace (cast(decided_on as date) as "
            "decided_on) from given_slices",
            sql["dim_calendar"].relation: f"""
                select cast(unnest(generate_series(date '{START:%Y-%m-%d}',
                    date '{last:%Y-%m-%d}', interval 1 day)) as date) as calendar_date""",
            "reference.accepted_changes": "select * replace (cast(from_day as date) as from_day) "
            "from given_changes",
            sql["int_sampling__strata"].relation: "select *, n_audits as planned_sample_size from ("
            + render("{{ sampling_design('given_strata') }}") + ")",
            sql["feed_alarms"].relation: """
                select '' as alarm_kind, '' as feed_measure, '' as dimension_name,
                    '' as dimension_value, current_date as first_day, current_date as last_day
                where false""",
            sql["stg_policies"].relation: """
                select '' as policy_id, '' as parent_policy_id, timestamp '2026-01-01' as valid_from
                where false""",
            "reference.dimensions": "select distinct dimension_name, dimension_name as "
            "dimension_label from given_slices",
            sql["dim_queues"].relation: "select '' as queue_id, '' as queue_name where false",
            sql["dim_policies"].relation: "select '' as policy_id, '' as policy_name where false",
            sql["int_context__as_of"].relation: f"select timestamp '{last:%Y-%m-%d}' as as_of",
        }  # fmt: skip
        tables |= {
            sql[name].relation: edit(name, sql[name].sql) if edit else sql[name].sql
            for name in models
        }
        for relation, query in tables.items():
            db.execute(f"create or replace table {relation} as {query}")
        return {name: db.sql(f"from {sql[name].relation}").df() for name in models}


def recomputed(slices, *, days=98, changes=None, settings=SHORT, kinds=None):
    """What the oracle says of the same world."""
    rows = slices.assign(n_errors=slices["n_errors"].astype(int)).rename(
        columns={"moderator_key": "person", "auditor_key": "auditor", "stratum_key": "stratum"}
    )
    calendar = pd.date_range(START, periods=days, freq="D")
    changes = accepted() if changes is None else changes
    world = scan.World(rows, calendar, changes, calendar[-1])
    watched = scan.watch(world, settings)
    found = {f"int_monitoring__{name}": table for name, table in watched.items()}
    found |= {name: watched[name] for name in ("alert_drivers", "monitored_slices")}
    if kinds is not None:
        found["alerts"] = scan.alerts(world, watched, watched["impact"], kinds, settings)
    return found


def differences(built, expected):
    """By model, what the oracle and the SQL do not agree on."""
    found = {}
    for name, key in KEYS.items():
        ours, theirs = expected[name], built[name]
        if ours.empty:
            if len(theirs):
                found[name] = [f"{len(theirs)} rows not recomputed"]
            continue
        ours = ours.drop(columns=["incident_id"] if name == "int_monitoring__explained" else [])
        shared = [column for column in ours if column in theirs]
        assert not {*key} - {*shared}
        largest, problems = oracle.difference(ours[shared], theirs, key)
        if problems or largest > ALLOWED.get(name, 1e-9):
            found[name] = [*problems, f"largest difference {largest:.1e}"]
    return found


INCIDENTS = {
    "a queue": [("queue", "q2", 60, 75, 4)],
    "a site and a language": [("site", "manila", 50, 90, 2.5), ("language", "de", 70, 98, 3)],
    "automation": [("decided_by", "automation", 56, 62, 5)],
    "better": [("queue", "q3", 40, 98, 0.02), ("site", "dublin", 80, 98, 4)],
    "twice": [("queue", "q1", 45, 49, 6), ("queue", "q1", 80, 84, 6)],
    "ever since": [("queue", "q2", 45, 98, 4)],
    "nothing": [],
}


# Audits a day, error rate and people of a world, by seed.
SIZES = [(12, 0.12, 12), (30, 0.2, 30), (3, 0.3, 6)]


def world_of(kind, seed):
    """The slices of a world with incidents."""
    a_day, rate, people = SIZES[seed]
    return slices_of(
        audits(seed=seed, a_day=a_day, rate=rate, people=people, incidents=INCIDENTS[kind])
    )


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in (1, 2))])
@pytest.mark.parametrize("kind", INCIDENTS)
def test_random_worlds_agree_with_the_oracle(kind, seed):
    slices = world_of(kind, seed)
    changes = accepted(("queue", "q2", 62)) if kind == "a queue" else None
    built = build(slices, changes=changes)
    expected = recomputed(slices, changes=changes, kinds=built["int_monitoring__kinds"])
    assert differences(built, expected) == {}
    if seed == 0:
        assert (kind != "nothing") == (len(built["alerts"]) > 0)


def test_equal_counts_of_two_sites_are_two_candidates():
    rows = audits(incidents=[("queue", "q2", 60, 75, 4)]).assign(decided_by="human")
    rows["site"], mirrored = "dublin", rows.assign(audit_id="b" + rows["audit_id"], site="manila")
    slices = slices_of(pd.concat([rows, mirrored], ignore_index=True))
    built = build(slices)
    assert differences(built, recomputed(slices, kinds=built["int_monitoring__kinds"])) == {}
    drivers = built["int_monitoring__drivers"].query("driver_round == 1")
    sites = drivers[drivers["dimension_name"] == "site"].groupby("comparison_id").size()
    assert len(sites)
    assert set(sites) == {2}
    # The policy is the queue by another name.
    assert not set(drivers["dimension_name"]) & {"truth_policy"} or not (
        set(drivers["dimension_name"]) & {"queue"}
    )


# --- one thing wrong at a time -----------------------------------------------------------------

# Model, what its SQL says, and what it would say if it were wrong.
MUTATIONS = {
    "a window one day too long": (
        "int_monitoring__windows", "n_audits - lag(n_audits, 7, 0)",
        "n_audits - lag(n_audits, 8, 0)",
    ),
    "a baseline in the window": (
        "int_monitoring__windows", "lag(n_errors, 7, 0) over (partition by dimension_name, "
        "dimension_value, risk_cell order by window_ends_on)\n        - lag", "n_errors - lag",
    ),
    "a baseline one day too long": (
        "int_monitoring__windows", "- lag(n_audits, 42, 0)", "- lag(n_audits, 43, 0)",
    ),
    "alarms stay in the baseline": (
        "int_monitoring__scan", "abs(first_scan.z) >= 3.8", "abs(first_scan.z) >= 99",
    ),
    "alarms are known before they are": (
        "int_monitoring__scan", "days_to_leave_out.known_on <= first_scan.window_ends_on", "true",
    ),
    "an accepted change beside what was before": (
        "int_monitoring__scan", "first_scan.window_ends_on >= accepted_changes.from_day", "false",
    ),
    "no natural variation": ("int_monitoring__scan", "power(0.05, 2)", "0"),
    "errors vary as if they were rare": (
        "int_monitoring__scan", "least(1e0, risk_variance / risk_errors)", "1e0",
    ),
    "a single error alarms": ("int_monitoring__scan", "n_errors >= 2", "n_errors >= 0"),
    "q values of one slice": (
        "int_monitoring__scan", "p_value * count(*) over (partition by window_ends_on, direction)",
        "p_value",
    ),
    "each day of alarms by itself": ("int_monitoring__peaks", "<= 14", "<= 0"),
    "all together alarm": ("int_monitoring__peaks", "scan.dimension_name <> 'overall'", "true"),
    "groups of four": ("int_monitoring__peaks", ">= 5", ">= 1"),
    "a change begins with its window": (
        "int_monitoring__first_days", "< 28", "< 4",
    ),
    "a change begins where most errors are": (
        "int_monitoring__first_days", "- n_errors + expected_errors", "+ n_errors",
    ),
    "the other's audits are as usual": (
        "int_monitoring__explained", "/ pairs.other_usual_rate", "* 0",
    ),
    "many values are no handicap": (
        "int_monitoring__drivers", "- ln(dimensions.n_values)", "- 0",
    ),
    "the driver's audits stay": (
        "int_monitoring__drivers", "cells.n_errors - coalesce(taken.n_errors, 0)", "cells.n_errors",
    ),
    "a driver beyond doubt": (
        "int_monitoring__drivers", "weighed.q_value <= 0.1", "weighed.q_value <= 0.001",
    ),
    "q values of one candidate": (
        "int_monitoring__drivers", "p_value * count(*) over (partition by comparison_id)",
        "p_value",
    ),
    "a driver of nearly all": ("int_monitoring__drivers", ">= 0.15", ">= 0.9"),
    "errors count without their weight": (
        "int_monitoring__impact", "weight * (n_errors - expected_errors)",
        "(n_errors - expected_errors)",
    ),
    "candidates of few people": ("alert_drivers", ">= 5", ">= 1"),
}  # fmt: skip


@cache
def eventful():
    """A world with all that a mutation may touch, and what the oracle says of it."""
    rows = audits(
        people=9, rate=0.2, seed=17,
        incidents=[("site", "manila", 50, 60, 3), ("queue", "q2", 56, 66, 3),
                   ("language", "de", 70, 98, 3), ("queue", "q3", 85, 88, 3),
                   ("site", "dublin", 20, 40, 3)],
    )  # fmt: skip
    slices, changes = slices_of(rows), accepted(("queue", "q2", 64))
    kinds = build(slices, changes=changes)["int_monitoring__kinds"]
    return slices, changes, recomputed(slices, changes=changes, kinds=kinds)


def test_the_eventful_world_agrees():
    slices, changes, expected = eventful()
    assert differences(build(slices, changes=changes), expected) == {}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_oracle_sees_one_thing_that_is_wrong(name):
    model, right, wrong = MUTATIONS[name]
    slices, changes, expected = eventful()

    def edit(of, sql):
        if of != model:
            return sql
        assert right in sql
        return sql.replace(right, wrong)

    assert differences(build(slices, changes=changes, edit=edit), expected) != {}


def test_an_alarm_may_be_nothing_but_anothers_audits():
    """Three in ten audits of a language are of the queue that went wrong."""
    slices = slices_of(audits(a_day=40, incidents=[("queue", "q2", 60, 75, 4)]))
    built = build(slices)
    expected = recomputed(slices, kinds=built["int_monitoring__kinds"])
    assert differences(built, expected) == {}
    alerts = built["alerts"].set_index(SLICE)["explained_by"]
    assert alerts["language", "en"].startswith("queue|q2")

    def edit(_, sql):
        return sql.replace("then parts.own_errors", "then pairs.n_errors")

    assert differences(build(slices, edit=edit), expected) != {}


# --- what holds of any world -------------------------------------------------------------------

SCAN = MODELS[: MODELS.index("int_monitoring__scan") + 1]


@pytest.mark.parametrize("until", [45, 62, 80])
def test_no_day_knows_of_later_ones(until):
    slices, changes = world_of("a site and a language", 0), accepted(("queue", "q2", 70))
    then = slices[slices["decided_on"] <= START + pd.Timedelta(days=until)]
    now = build(slices, changes=changes, models=SCAN)
    known = build(then, days=until + 1, changes=changes, models=SCAN)
    for name in ("int_monitoring__first_scan", "int_monitoring__scan"):
        rows = now[name][now[name]["window_ends_on"] <= START + pd.Timedelta(days=until)]
        both = [table.sort_values(KEYS[name], ignore_index=True) for table in (rows, known[name])]
        assert len(rows)
        pd.testing.assert_frame_equal(*both, check_exact=True)


def test_more_of_the_same_audits_expect_more_of_the_same_errors():
    rows = audits(a_day=6, incidents=[("queue", "q2", 60, 75, 3)])

    def times(n):
        copies = [rows.assign(audit_id=f"{i}-" + rows["audit_id"]) for i in range(n)]
        built = build(slices_of(pd.concat(copies, ignore_index=True)), models=SCAN)
        first = built["int_monitoring__first_scan"].set_index(KEYS["int_monitoring__first_scan"])
        first["ratio"] = first["n_errors"] / (
            first["risk_errors"]
            * (first["n_baseline_errors"] + 5)
            / (first["baseline_risk_errors"] + 5)
        )
        return first[(first["n_errors"] > 0) & (first["n_baseline_errors"] > 0)]

    # What a thin baseline is drawn toward does not grow with it.
    pairs = times(20).join(times(40), rsuffix="_more", how="inner")
    assert len(pairs) > 100
    assert (pairs["n_errors_more"] == 2 * pairs["n_errors"]).all()
    assert (pairs["risk_errors_more"] / pairs["risk_errors"] - 2).abs().max() < 0.05
    assert (pairs["ratio_more"] / pairs["ratio"] - 1).abs().max() < 0.1


def test_of_shuffled_errors_hardly_any_alarm():
    rows = audits(a_day=40, incidents=[("queue", "q2", 60, 75, 4), ("site", "manila", 50, 98, 2)])
    until = MODELS[: MODELS.index("int_monitoring__explained") + 1]

    def leads(rows):
        built = build(slices_of(rows), models=until)
        return int(built["int_monitoring__explained"]["explained_by"].isna().sum())

    assert leads(rows) >= 2
    rng, found, n = np.random.default_rng(4), 0, 8
    for _ in range(n):
        # Nothing happens any more: within a queue an error is as likely on each day.
        mixed = rows.groupby("queue")["n_errors"].transform(rng.permutation)
        found += leads(rows.assign(n_errors=mixed))
    queue_years = n * 3 * (98 - SHORT.learning_days) / 365
    assert found <= 1.0 * queue_years


def test_of_no_audits_nothing_is_said():
    built = build(slices_of(audits()).iloc[:0])
    assert {name: len(table) for name, table in built.items()} == dict.fromkeys(MODELS, 0)


def test_until_something_is_learnt_nothing_is_scanned():
    days = SHORT.learning_days + min(SHORT.windows) - 1
    slices = slices_of(audits(days=days, a_day=40))
    built = build(slices, days=days)
    kinds = built["int_monitoring__kinds"]
    assert differences(built, recomputed(slices, days=days, kinds=kinds)) == {}
    assert built["int_monitoring__scan"].empty
    reasons = set(built["monitored_slices"]["reason_code"])
    assert reasons <= {"too_few_audits", "suppressed_small_group"}


def test_one_audit_does_not_alarm():
    rows = audits().iloc[[600]].assign(n_errors=1)
    built = build(slices_of(rows))
    assert len(built["int_monitoring__scan"]) == len(built["alerts"]) == 0
    assert set(built["monitored_slices"]["reason_code"]) <= {
        "too_few_audits", "no_audits", "suppressed_small_group",
    }  # fmt: skip


@pytest.mark.parametrize("n_errors", [0, 1])
def test_what_is_all_right_or_all_wrong_stays_what_it_was(n_errors):
    built = build(slices_of(audits(a_day=30).assign(n_errors=n_errors)))
    assert built["alerts"].empty
    if n_errors:
        scanned = built["int_monitoring__scan"]
        assert len(scanned)
        np.testing.assert_allclose(scanned["ratio"], 1, atol=1e-9)
    else:
        # Where no error is to be expected none is missed: that is said, not passed off as health.
        assert built["int_monitoring__scan"].empty
        assert built["monitored_slices"]["reason_code"].notna().all()


@pytest.mark.parametrize("factor", [1, 4])
def test_a_new_slice_is_compared_with_its_risk_cells(factor):
    rows = audits(a_day=40, rate=0.15)
    is_new = (rows["day"] >= 60) & (rows["language"] == "de")
    rows.loc[is_new, "language"] = "fr"
    rng = np.random.default_rng(3)
    wrong = rng.random(len(rows)) < 0.12 * factor
    rows["n_errors"] = rows["n_errors"].where(~is_new, wrong.astype(int))
    built = build(slices_of(rows))
    new = built["int_monitoring__scan"].query("dimension_value == 'fr'")
    assert new["window_ends_on"].min() <= START + pd.Timedelta(days=64)
    first = new[new["window_ends_on"] < START + pd.Timedelta(days=64)]
    assert (first["n_baseline_errors"] == 0).all()
    np.testing.assert_allclose(first["expected_errors"], first["risk_errors"])
    alerts = built["alerts"].query("dimension_value == 'fr' and direction == 'worse'")
    assert len(alerts) == (factor > 1)
    if factor > 1:
        assert (alerts["first_alarm_on"] <= START + pd.Timedelta(days=70)).all()


def test_an_accepted_change_is_quiet_while_it_is_learnt_and_then_compared_with_itself():
    day = 45
    rows = audits(a_day=30, incidents=[("queue", "q2", day, 98, 4)])
    slices = slices_of(rows)
    quiet = build(slices, changes=accepted(("queue", "q2", day)))
    loud = build(slices)
    mine = "dimension_name == 'queue' and dimension_value == 'q2'"
    since = START + pd.Timedelta(days=day)
    assert (loud["alerts"].query(mine)["direction"] == "worse").any()
    assert quiet["alerts"].query(mine).empty
    rows = quiet["int_monitoring__scan"].query(mine)
    learnt = since + pd.Timedelta(days=SHORT.learning_days + min(SHORT.windows) - 1)
    assert not rows["window_ends_on"].between(since, learnt - pd.Timedelta(days=1)).any()
    after = rows[rows["window_ends_on"] >= learnt]
    assert learnt in {*after["window_ends_on"]}
    # Its own new errors, and only they.
    daily = slices.query(mine).groupby("decided_on")["n_errors"].sum()
    for row in after.itertuples():
        before = daily[since : row.window_starts_on - pd.Timedelta(days=1)]
        assert row.n_baseline_errors == before.tail(SHORT.baseline_days).sum()


def test_an_alarm_that_was_accepted_says_so_once():
    rows = audits(a_day=30, incidents=[("queue", "q2", 45, 98, 4)])
    changes = accepted(("queue", "q2", 60), ("queue", "q2", 62))
    alerts = build(slices_of(rows), changes=changes)["alerts"].query("dimension_value == 'q2'")
    assert [*alerts.query("dimension_name == 'queue'")["alert_status"]] == ["accepted"]
    assert alerts["alert_id"].is_unique


@pytest.mark.parametrize("people", [1, 4])
def test_of_fewer_than_five_people_nothing_is_shown(people):
    incidents = [("queue", "q2", 60, 75, 5), ("decided_by", "automation", 80, 98, 4)]
    slices = slices_of(audits(a_day=30, people=people, incidents=incidents))
    built = build(slices)
    n_people = slices.groupby(SLICE)["moderator_key"].nunique()
    machines = set(n_people.index[n_people == 0])
    assert not built["alerts"].empty, "machines alarm"
    for name in ("alerts", "alert_drivers"):
        shown = set(built[name][SLICE].itertuples(index=False, name=None))
        assert shown <= machines, name
    slices_shown = built["monitored_slices"].set_index(SLICE)
    few = slices_shown[~slices_shown.index.isin(machines)]
    assert set(few["reason_code"]) == {"suppressed_small_group"}
    assert few[[name for name in few if name.startswith("detectable")]].isna().all(axis=None)


def few_people_by_subtraction(slices, alerts):
    """How many alerts, less one or several of a dimension and the same days, are of few people."""
    held = {
        row.alert_id: slices[
            (slices["dimension_name"] == row.dimension_name)
            & (slices["dimension_value"] == row.dimension_value)
            & slices["decided_on"].between(row.window_starts_on, row.window_ends_on)
        ].set_index("audit_id")["moderator_key"]
        for row in alerts.itertuples()
    }
    n_told = 0
    for (_, same), (whole, people) in product(alerts.groupby(WINDOW), held.items()):
        if whole not in {*same["alert_id"]}:
            continue
        for _, names in same.groupby("dimension_name")["alert_id"]:
            parts = [
                held[name].index for name in names if held[name].index.isin(people.index).all()
            ]
            for several in (some for n in range(len(parts)) for some in combinations(parts, n + 1)):
                left = people[~people.index.isin(np.concatenate(several))]
                n_told += 0 < left.nunique() < 5
    return n_told


@pytest.mark.parametrize("several", [False, True])
def test_no_alarm_less_others_is_of_few_people(several):
    """Of eight people five are in Manila; or of three queues' people those of q3 are three."""
    rows = audits(
        seed=4, a_day=30, people=8, incidents=[("decided_by", "human", 60, 75, 3)]
    )  # fmt: skip
    if several:
        rows = audits(seed=3, a_day=60, incidents=[("decided_by", "human", 60, 66, 5)])
        first = rows["queue"].map({"q1": 0, "q2": 10, "q3": 20})
        rows["person"] = first + rows["person"] % rows["queue"].map({"q1": 6, "q2": 6, "q3": 3})
        rows["site"] = "manila"
    slices = slices_of(rows)

    def unguarded(name, sql):
        return sql.replace("between 1 and 5 - 1", "is null") if "episodes" in name else sql

    assert few_people_by_subtraction(slices, build(slices, edit=unguarded)["alerts"])
    built = build(slices)
    assert not few_people_by_subtraction(slices, built["alerts"])
    assert differences(built, recomputed(slices, kinds=built["int_monitoring__kinds"])) == {}


def test_people_without_a_name_are_a_person():
    (model,) = compiled_models(["audit_slices"]).values()
    facts, strata, roster, policies = (
        sql.relation
        for sql in compiled_models(
            ["fct_audits", "int_sampling__strata", "stg_roster", "dim_policies"]
        ).values()
    )
    text = ["queue_id", "policy_id", "parent_policy_id", "site", "vendor", "team_id", "language",
            "region", "item_type", "model_version", "truth_policy_id"]  # fmt: skip
    with duckdb.connect() as db:
        catalog = facts.split(".")[0]
        db.execute(f"attach if not exists ':memory:' as {catalog}; use {catalog}")
        for relation in (facts, strata, roster, policies):
            db.execute(f"create schema if not exists {relation.split('.')[1]}")
        db.execute(f"""
            create table {facts} as
            select who as audit_id, date '2026-03-02' as decided_on, 's' as stratum_key,
                timestamp '2026-03-02 09:00' as decided_at, who as decided_by_type,
                true as is_counted, cast(null as text) as moderator_key, 'a' as auditor_key,
                1.0 as weight,
                0.5 as confidence, 1 as n_correct,
                {", ".join(f"cast(null as text) as {name}" for name in text)}
            from (values ('human'), ('automation')) as deciders (who);
            create table {strata} as select 's' as stratum_key, 'p' as plan_id, 'q' as stratum_id;
            create table {roster} (person_key text, hired_on date, valid_from timestamp,
                valid_to timestamp);
            create table {policies} (policy_id text, parent_policy_id text)
        """)
        slices = db.sql(model.sql).df()
    people = slices.groupby("audit_id")["moderator_key"].nunique()
    assert people.to_dict() == {"automation": 0, "human": 1}
