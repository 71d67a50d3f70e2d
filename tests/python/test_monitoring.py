"""The scan for changes of error rates, and what it says of them, on small worlds made by hand.

The models' SQL is run as it is, on tables of audits and slices; the oracle recomputes all of it.
"""

from functools import cache

import duckdb
import numpy as np
import oracle
import pandas as pd
import pytest
from oracles import scan
from project_sql import compiled_models, render

START = pd.Timestamp("2026-01-05")
SLICE = scan.SLICE
MODELS = [
    "slice_days", "int_monitoring__windows", "int_monitoring__first_scan", "int_monitoring__scan",
    "int_monitoring__episodes", "int_monitoring__explained", "int_monitoring__drivers",
    "int_monitoring__impact", "int_monitoring__kinds", "alerts", "alert_drivers",
    "monitored_slices",
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
        db.register("given_strata", strata.astype({"n_audits": "int64", "population_size": "int64"}))
        last = START + pd.Timedelta(days=days - 1)
        tables = {
            sql["audit_slices"].relation: "select * replace (cast(decided_on as date) as decided_on) "
            "from given_slices",
            sql["dim_calendar"].relation: f"""
                select cast(unnest(generate_series(date '{START:%Y-%m-%d}',
                    date '{last:%Y-%m-%d}', interval 1 day)) as date) as calendar_date""",
            "reference.accepted_changes": "select * replace (cast(from_day as date) as from_day) "
            "from given_changes",
            sql["int_sampling__strata"].relation: "select *, n_audits as planned_sample_size from ("
            + render("{{ sampling_design('given_strata') }}") + ")",
            sql["feed_alarms"].relation: """
                select '' as kind, '' as feed_measure, '' as dimension_name, '' as dimension_value,
                    current_date as first_day, current_date as last_day where false""",
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
        if problems or largest > 1e-9:
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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", INCIDENTS)
def test_random_worlds_agree_with_the_oracle(kind, seed):
    rows = audits(seed=seed, a_day=[12, 30, 3][seed], rate=[0.12, 0.2, 0.3][seed],
                  people=[12, 30, 6][seed], incidents=INCIDENTS[kind])  # fmt: skip
    slices = slices_of(rows)
    changes = accepted(("queue", "q2", 62)) if kind == "a queue" else None
    built = build(slices, changes=changes)
    expected = recomputed(slices, changes=changes, kinds=built["int_monitoring__kinds"])
    assert differences(built, expected) == {}
