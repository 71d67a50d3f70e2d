"""Published enforcement figures come out of rows that have their counts."""

import numpy as np
import pandas as pd
import pytest
from projects import ROOT

CGER = ROOT.parent / "shared" / "real" / "tiktok_cger" / "published_2020h2.csv"
HOUR = pd.Timedelta(hours=1)
KNOWN = {"source_system": "test", "recorded_at": pd.Timestamp("2021-03-31")}


def published():
    """What was published of the second half of 2020: {metric: value}."""
    figures = pd.read_csv(CGER).query("market == 'global'")
    return figures.set_index("metric")["value"]


def removals_like(figures, n):
    """Raw tables of n removals in a quarter, of which as many are as was published.

    Each share is of another part of the items: the order is drawn for each.
    """
    rng = np.random.default_rng(1)

    def first(share):
        chosen = np.zeros(n, bool)
        chosen[rng.permutation(n)[: round(share * n)]] = True
        return chosen

    number = pd.Series(range(n))
    decided_at = pd.Timestamp("2020-10-02") + pd.to_timedelta(number * 80 * 24 / n, unit="h")
    is_proactive = first(figures["proactive_removal_rate"])
    is_quick = first(figures["removal_within_24_hours"])
    is_automated = first(figures["videos_removed_automatically"] / figures["videos_removed"])
    jobs = pd.DataFrame(
        {
            "job_id": "j" + number.astype(str),
            "item_id": "v" + number.astype(str),
            "queue_id": "hate",
            "item_created_at": decided_at - pd.to_timedelta(np.where(is_quick, 24, 25), unit="h"),
            "enqueued_at": decided_at - HOUR,
            # Jobs say otherwise than the reports, which go before.
            "enqueue_reason": "user_report",
        }
    )
    decisions = pd.DataFrame(
        {
            "decision_id": "d" + number.astype(str),
            "job_id": jobs["job_id"],
            "decided_by_type": np.where(is_automated, "automation", "human"),
            "moderator_id": ("m" + (number % 7).astype(str)).where(~is_automated),
            "decided_at": decided_at,
            "action_code": "remove",
            "primary_policy_id": "minors",
            "views_at_decision": np.where(first(figures["removal_before_any_views"]), 0, 12),
        }
    )
    reported = jobs["item_id"][~is_proactive]
    late = jobs["item_id"][is_proactive]
    reports = pd.DataFrame(
        {
            "item_id": pd.concat([reported, late, pd.Series(["never removed"])]),
            "reported_at": pd.concat(
                [
                    decided_at[~is_proactive],
                    decided_at[is_proactive] + pd.Timedelta(microseconds=1),
                    pd.Series([decided_at[0].normalize()]),
                ]
            ),
            "reporter_kind": "user",
        }
    )
    reports["report_id"] = [f"r{i}" for i in range(len(reports))]
    return {"review_jobs": jobs, "decisions": decisions, "reports": reports}


@pytest.fixture(scope="module")
def enforcement(new_project, make_world):
    """The rates of a thousand removals with the published shares, by metric."""
    tables = removals_like(published(), 1000)
    world = make_world() | {name: table.assign(**KNOWN) for name, table in tables.items()}
    for name in ("audits", "disputes"):
        world[name] = world[name].iloc[:0]
    project = new_project()
    project.deliver(world)
    run = project.build("--select", "+enforcement_rates", data_tests=False)
    assert run.returncode == 0, run.stdout
    rates = project.table("transparency.enforcement_rates")
    quarter = (rates["period_type"] == "quarter") & (rates["dimension_name"] == "overall")
    return rates[quarter].set_index("metric_id")


@pytest.mark.skipif(not CGER.exists(), reason=f"it is not there: {CGER}")
@pytest.mark.parametrize(
    ("metric_id", "name", "percent"),
    [
        ("proactive_removal_rate", "proactive_removal_rate", "92.4"),
        ("removal_before_views", "removal_before_any_views", "83.3"),
        ("removal_within_24h", "removal_within_24_hours", "93.5"),
        ("automated_removals", None, "9.3"),
    ],
)
def test_published_shares_come_out_of_rows_with_their_counts(enforcement, metric_id, name, percent):
    row = enforcement.loc[metric_id]
    assert (row["n_acts"], row["n_items"], row["n"]) == (1000, 1000, 1000)
    assert f"{100 * row['estimate']:.1f}" == percent
    if name:
        assert row["estimate"] == published()[name]


def test_what_the_rows_do_not_say_has_no_rate(enforcement):
    assert enforcement.loc["proactive_removal_rate", "basis"] == "reports"
    for metric_id in ("prevalence", "reinstated"):
        assert enforcement.loc[metric_id, "reason_code"] == "not_recorded"
        assert pd.isna(enforcement.loc[metric_id, "estimate"])
