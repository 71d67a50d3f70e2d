"""On a simulated platform whose truth is known, weighted rates are right and pooled are not.

The truth is computed here from data/truth with pandas; nothing of the layer's SQL is used.
"""

import pandas as pd
import pyarrow.dataset as ds
import pytest
import simulate as simulator
from simulator.world import Settings

NOT_DECISIONS = ["escalate", "skip", "auto_close", "reverse", "uphold"]
KEY = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]


@pytest.fixture(scope="module")
def project(new_project):
    """Twelve weeks of 1,500 decisions a day, audited without a mistake."""
    project = new_project()
    simulator.simulate(
        Settings(days=84, decisions_per_day=1500, moderators=60, queues=6, auditor_error_rate=0),
        project.folder / "data",
        workers=1,
    )
    run = project.build("--select", "+accuracy_rates", "+exclusions", data_tests=False)
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture(scope="module")
def truth(project):
    """One row per eligible decision: its day, queue, who decided, and whether it was right."""

    def read(name, columns):
        return ds.dataset(project.folder / "data" / name).to_table(columns=columns).to_pandas()

    columns = ["decision_id", "job_id", "decided_by_type", "decided_at", "action_code"]
    decisions = read("raw/decisions", [*columns, "recorded_at"])
    decisions = decisions.sort_values("recorded_at").drop_duplicates("decision_id", keep="last")
    eligible = decisions[
        decisions["decided_by_type"].isin(["human", "automation"])
        & ~decisions["action_code"].isin(NOT_DECISIONS)
    ]
    jobs = read("raw/review_jobs", ["job_id", "queue_id"]).drop_duplicates()
    verdicts = read("truth/decisions", ["decision_id", "is_correct"])
    assert set(eligible["decision_id"]) == set(verdicts["decision_id"])
    return eligible.merge(verdicts, validate="1:1").merge(jobs, validate="m:1")


@pytest.fixture(scope="module")
def compared(project, truth):
    """Accuracy as published beside the truth, one row per period and dimension value."""
    dimensions = {
        "overall": "all",
        "queue": truth["queue_id"],
        "decided_by": truth["decided_by_type"],
    }
    periods = {"week": "W-SUN", "month": "M"}
    true_rates = pd.concat(
        [
            truth.assign(
                period_type=period_type,
                period_starts_on=truth["decided_at"].dt.to_period(frequency).dt.start_time,
                dimension_name=name,
                dimension_value=value,
            )
            for period_type, frequency in periods.items()
            for name, value in dimensions.items()
        ]
    )
    true_rates = true_rates.groupby(KEY)["is_correct"].agg(n_true="size", truth="mean")
    rates = project.query(
        "from rates.accuracy_rates where metric_id = 'accuracy' and metric_version = 1 "
        f"and period_type in {tuple(periods)} and dimension_name in {tuple(dimensions)} "
        "and n_eligible_decisions > 0"
    )
    assert len(rates) == len(true_rates)
    return rates.merge(true_rates.reset_index(), on=KEY, validate="1:1", how="left")


def test_a_bulk_close_is_a_jump_in_the_exclusions(project):
    """In every queue, on the day when the platform closed three of ten jobs, and in its week."""
    incidents = pd.read_parquet(project.folder / "data" / "truth" / "incidents.parquet")
    (starts_at,) = incidents.loc[incidents["kind"] == "bulk_close", "starts_at"]
    closed = project.query(
        "from explain.exclusions where reason_code = 'automatic_close' "
        "and period_type in ('day', 'week') and dimension_name in ('overall', 'queue') "
        # Of appeals, what was withdrawn is closed.
        "and dimension_value <> 'appeals'"
    )
    assert closed["dimension_value"].nunique() == 7
    # Measured: 7 to 14 times the worst of the other days, 2.4 to 4.5 times of the other weeks.
    for (period_type, group), rows in closed.groupby(["period_type", "dimension_value"]):
        counts = rows.set_index("period_starts_on")["n_excluded"].sort_index()
        starts_on = starts_at.normalize()
        if period_type == "week":
            starts_on -= pd.Timedelta(days=starts_on.day_of_week)
        usual = counts.drop(starts_on).max()
        assert counts[starts_on] > {"day": 5, "week": 2}[period_type] * usual, (period_type, group)


def covered(rows, low, high):
    return rows["truth"].between(rows[low], rows[high])


def test_the_mart_counts_the_decisions_that_the_truth_counts(compared, truth):
    assert (compared["n_eligible_decisions"] == compared["n_true"]).all()
    overall = compared[compared["dimension_name"] == "overall"]
    sums = overall.groupby("period_type")["n_eligible_decisions"].sum()
    assert sums.to_dict() == {"week": len(truth), "month": len(truth)}


def test_weighted_intervals_cover_the_truth_and_pooled_ones_do_not(compared):
    # Measured with seed 7: of 54 reportable rows, weighted intervals cover 53, pooled ones 18; of
    # the 14 overall rows 14 and 1. A queue's weeks and months hold the same audits, so the rows
    # are worth far fewer independent ones, and the bounds keep their distance.
    rows = compared[compared["is_reportable"]]
    assert len(rows) >= 50
    weighted = covered(rows, "ci_low", "ci_high")
    pooled = covered(rows, "unweighted_ci_low", "unweighted_ci_high")
    assert weighted.mean() >= 0.9
    assert pooled.mean() <= 0.65
    overall = rows["dimension_name"] == "overall"
    assert weighted[overall].mean() >= 0.9
    assert pooled[overall].mean() <= 0.25
    # An interval that covers by being wide would say nothing.
    width = rows["ci_high"] - rows["ci_low"]
    assert width[overall].median() < 0.1


def test_weighting_removes_the_bias_of_the_audit_plan(compared):
    # Measured over the three months: pooled 4.9 to 6.4 points too low, weighted at most 1.7 off.
    months = compared[
        (compared["period_type"] == "month") & (compared["dimension_name"] == "overall")
    ]
    assert len(months) == 3
    assert (months["unweighted_rate"] - months["truth"] < -0.03).all()
    assert ((months["estimate"] - months["truth"]).abs() < 0.03).all()
