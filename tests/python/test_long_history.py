"""Half a year, delivery by delivery: only the days that a delivery touches are built again."""

import duckdb
import pandas as pd
import simulate as simulator
from simulator.world import Settings
from split_history import DAY, MONDAY, Deliveries
from test_increments import assert_same, build, rebuilt


def test_a_long_history_is_built_by_the_days_that_a_delivery_touches(new_project, tmp_path):
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
    project = new_project()
    for number in range(len(ends)):
        deliveries.deliver(number, project.raw)
        build(project)
    assert_same(project, rebuilt(new_project, project.raw))

    # What is gone from days that are over stays gone: they are not built again.
    tables = ("facts.fct_decisions", "cells.accuracy_decisions_by_day")
    with duckdb.connect(project.warehouse) as warehouse:
        for table in tables:
            warehouse.sql(f"delete from {table} where decided_on < date '2026-05-01'")
    deliveries.deliver(len(ends), project.raw)
    build(project)
    first_days = {
        table: project.query(f"select min(decided_on) as first from {table}")["first"][0]
        for table in tables
    }
    assert min(first_days.values()) >= pd.Timestamp("2026-05-01"), first_days


def some_of_month(recorded_at, month):
    """Which of the rows recorded in a month are the first few of it."""
    is_of_month = recorded_at.dt.month == month
    return (is_of_month & (is_of_month.cumsum() <= 5)).to_numpy().astype(int)
