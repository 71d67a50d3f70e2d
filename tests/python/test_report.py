"""The marts that people open first: what their sources say, and what they add to it."""

import numpy as np
import pandas as pd
import pytest
from project_sql import render

GROUP = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
RATE = ["metric_id", "metric_version", *GROUP]
SUMS = ["n", "weighted_numerator", "weighted_denominator"]
EXACT = 1e-9


@pytest.fixture(scope="module")
def headline(platform):
    return platform.query("from report.headline")


@pytest.fixture(scope="module")
def rates(platform):
    return platform.query("from rates.accuracy_rates")


@pytest.fixture(scope="module")
def cube(platform):
    return platform.query("from report.accuracy_cube")


def test_headline_shows_what_its_marts_say(platform, headline, rates):
    shares = platform.query("from rates.quality_rates where period_type in ('week', 'month')")
    incomplete = platform.query(
        "from report.dim_periods where period_type = 'four_weeks' and not is_complete"
    )
    policies = platform.query("""
        select *, if(policy_level = 'parent', 'policy_parent', 'policy') as dimension_name,
            policy_id as dimension_value
        from rates.policy_rates where policy_version = 'all'
    """)
    assert set(policies["dimension_name"]) == {"policy", "policy_parent"}
    rates = rates[rates["period_type"] != "day"]
    left_out = pd.MultiIndex.from_frame(rates[GROUP[:2]]).isin(
        pd.MultiIndex.from_frame(incomplete[GROUP[:2]])
    )
    columns = [*RATE, "is_reportable", "reason_code", "estimate", "ci_low", "ci_high"]
    marts = pd.concat([rates.loc[~left_out, columns], shares[columns], policies[columns]])
    pd.testing.assert_frame_equal(
        headline[columns].sort_values(RATE, ignore_index=True),
        marts.sort_values(RATE, ignore_index=True),
        check_exact=True,
    )


def test_people_read_names_and_reasons(headline):
    of = headline.set_index("dimension_value")["value_label"]
    assert set(of[["q01"]]) == {"User reports"}
    assert set(of[["no_policy"]]) == {"No policy"}
    policies = headline[headline["dimension_name"] == "policy"]
    assert set(policies.loc[policies["dimension_value"] == "hate.slurs", "parent_value"]) == {
        "hate"
    }
    assert not headline["dimension_label"].isna().any()
    orders = headline.groupby("dimension_name")[["dimension_value", "sort_order"]].nunique()
    assert (orders["dimension_value"] == orders["sort_order"]).all()


def test_a_change_is_of_two_independent_rates(headline):
    """The square-and-add interval of Newcombe (1998), method 10, computed in numpy."""
    days = {"week": 7, "four_weeks": 28}
    moved = headline[headline["period_type"].isin(days)]
    moved = moved.assign(
        before=moved["period_starts_on"] - pd.to_timedelta(moved["period_type"].map(days), "D")
    )
    keys = [name for name in RATE if name != "period_starts_on"]
    both = moved.merge(
        headline[headline["is_reportable"]],
        left_on=[*keys, "before"],
        right_on=[*keys, "period_starts_on"],
        suffixes=("", "_before"),
    )
    both = both[both["is_reportable"] & both["ci_low"].notna()]
    assert len(both) > 30
    p, q = both["estimate"], both["estimate_before"]
    low = p - q - np.hypot(p - both["ci_low"], both["ci_high_before"] - q)
    high = p - q + np.hypot(both["ci_high"] - p, q - both["ci_low_before"])
    for name, expected in {"change": p - q, "change_ci_low": low, "change_ci_high": high}.items():
        np.testing.assert_allclose(both[name].to_numpy(float), expected.to_numpy(float), atol=EXACT)
    real = (low > 0) | (high < 0)
    assert (both["change_status"] == "unclear").eq(~real).all()
    better = real & both["higher_is_better"].notna()
    is_good = (p > q) == both["higher_is_better"].eq(True)
    assert (both["change_status"] == "better").eq(better & is_good).all()
    # What has no period before, or nothing reportable in it, has not changed.
    assert headline.loc[headline["previous_estimate"].isna(), "change"].isna().all()


def test_how_often_a_queue_was_below_its_target_is_counted(headline):
    """Over the last 26 complete periods, present or not, by another way than the window."""
    with_target = headline[headline["target"].notna()]
    group = ["metric_id", "metric_version", "period_type", "dimension_name", "dimension_value"]
    other = with_target[[*group, "periods_ago", "is_complete", "target_status"]]
    both = with_target[[*RATE, "periods_ago"]].merge(other, on=group, suffixes=("", "_before"))
    ago = both["periods_ago_before"] - both["periods_ago"]
    both = both[ago.between(0, 25) & both["is_complete"]]
    both["is_below"] = both["target_status"] == "below"
    both["is_compared"] = both["target_status"].notna()
    expected = both.groupby(RATE)[["is_below", "is_compared"]].sum()
    found = with_target.set_index(RATE)[["n_periods_below_target", "n_periods_compared"]]
    expected = expected.reindex(found.index).fillna(0)
    assert (found.to_numpy(float) == expected.to_numpy(float)).all()
    assert found["n_periods_compared"].max() > 1
    assert headline.loc[headline["target"].isna(), "n_periods_compared"].isna().all()


def is_accuracy(rates):
    """Rows of accuracy in its first version, which the page, targets and the cube are about."""
    return rates["metric_id"].eq("accuracy") & rates["metric_version"].eq(1)


def test_targets_are_of_the_day_of_the_decision(platform, headline):
    decisions = platform.query("""
        select cast(date_trunc('month', decided_on) as date) as period_starts_on, decided_at,
            queue_id, language
        from facts.fct_decisions where is_eligible
    """)
    history = platform.query("from report.queue_targets")
    decisions["target"] = np.nan
    for row in history.itertuples():
        ends = pd.Timestamp.max if pd.isna(row.valid_to) else row.valid_to
        within = decisions["decided_at"].ge(row.valid_from) & decisions["decided_at"].lt(ends)
        decisions.loc[within & (decisions["queue_id"] == row.queue_id), "target"] = (
            row.target_accuracy
        )
    months = headline[is_accuracy(headline) & headline["period_type"].eq("month")]
    for dimension, column in {"queue": "queue_id", "language": "language"}.items():
        expected = decisions.groupby(["period_starts_on", column])["target"].mean()
        found = months[months["dimension_name"] == dimension]
        found = found[found["dimension_value"] != "unknown"]
        keys = pd.MultiIndex.from_frame(found[["period_starts_on", "dimension_value"]])
        np.testing.assert_allclose(found["target"], expected.reindex(keys), atol=1e-6)


def test_four_weeks_are_their_weeks(rates):
    """They are shown where each of them is, and sum what they sum."""
    rates = rates[is_accuracy(rates)]
    weeks = rates[rates["period_type"] == "week"]
    windows = pd.concat(
        weeks.assign(period_starts_on=weeks["period_starts_on"] - pd.Timedelta(days=7 * n))
        for n in range(4)
    )
    suppressed = ["suppressed_small_group", "suppressed_complementary"]
    windows["is_hidden"] = windows["reason_code"].isin(suppressed)
    keys = GROUP[1:]
    expected = windows.groupby(keys).agg(
        is_hidden=("is_hidden", "max"), **{name: (name, "sum") for name in SUMS}
    )
    found = rates[rates["period_type"] == "four_weeks"].set_index(keys).reindex(expected.index)
    hidden = expected["is_hidden"]
    assert found["reason_code"].isin(suppressed).eq(hidden).all()
    assert hidden.any()
    assert (~hidden).any()
    for name in SUMS:
        assert found.loc[hidden, name].isna().all()
        shown = found.loc[~hidden, name].fillna(0).to_numpy(float)
        np.testing.assert_allclose(shown, expected.loc[~hidden, name].to_numpy(float), rtol=EXACT)


SLICES = {
    "overall": [],
    "queue": ["queue_id"],
    "policy_parent": ["policy_parent_id"],
    "decided_by": ["decided_by_type"],
    "queue_and_decider": ["queue_id", "decided_by_type"],
}


def slices_of(cube, dimension):
    """Sums over the cube by month and a dimension."""
    columns = SLICES[dimension]
    value = cube[columns].agg(" | ".join, axis=1) if columns else pd.Series("all", cube.index)
    of_audits = ["weighted_numerator", "weighted_denominator", "spread_of_correct",
                 "spread_of_wrong", "n_audits", "n_eligible_decisions"]  # fmt: skip
    by = [cube["month_starts_on"].rename("period_starts_on"), value.rename("dimension_value")]
    return cube.groupby(by)[of_audits].sum().reset_index()


@pytest.mark.parametrize("dimension", SLICES)
def test_the_cube_sums_to_the_rates(platform, cube, rates, dimension):
    if dimension == "policy_parent":
        # A cell that is withheld is counted in its queue, and in no policy.
        cube = platform.query("from cells.int_report__cube_cells")
    own = is_accuracy(rates) & rates["period_type"].eq("month")
    both = slices_of(cube, dimension).merge(
        rates[own & rates["dimension_name"].eq(dimension) & rates["estimate"].notna()],
        on=["period_starts_on", "dimension_value"],
        suffixes=("", "_of_rates"),
    )
    np.testing.assert_array_equal(both["n_eligible_decisions"],
                                  both["n_eligible_decisions_of_rates"])  # fmt: skip
    assert len(both)
    rate = both["weighted_numerator"] / both["weighted_denominator"]
    np.testing.assert_allclose(rate, both["estimate"], atol=EXACT)
    np.testing.assert_array_equal(both["n_audits"], both["n"])
    effective = both["weighted_denominator"] ** 2 / (
        both["spread_of_correct"] + both["spread_of_wrong"]
    )
    np.testing.assert_allclose(effective, both["effective_n"], rtol=0.03)


def test_the_interval_of_the_cube_is_about_the_published_one(platform):
    """By queue and who decided: not narrower by more than a quarter, and wider in the middle."""
    found = platform.query(
        render("""
        with slices as (
            select month_starts_on, concat(queue_id, ' | ', decided_by_type) as dimension_value,
                sum(weighted_numerator) / nullif(sum(weighted_denominator), 0) as estimate,
                {{ cube_bound('low') }} as low, {{ cube_bound('high') }} as high
            from report.accuracy_cube
            group by all
        )
        select low, high, ci_low, ci_high, slices.estimate
        from slices
        inner join rates.accuracy_rates as rates
            on slices.month_starts_on = rates.period_starts_on
                and slices.dimension_value = rates.dimension_value
        where period_type = 'month' and dimension_name = 'queue_and_decider'
            and metric_id = 'accuracy' and metric_version = 1 and n >= 20
    """)
    )
    assert len(found) >= 3
    assert (found["low"] <= found["estimate"]).all()
    assert (found["estimate"] <= found["high"]).all()
    ratio = (found["high"] - found["low"]) / (found["ci_high"] - found["ci_low"])
    assert ratio.min() > 0.75
    assert ratio.median() > 0.95


def test_the_cube_shows_nothing_of_few_people(platform, cube):
    people = platform.query("""
        select month_starts_on, queue_id, policy_parent_id, n_people, n_audits as n_all
        from cells.int_report__cube_cells where decided_by_type = 'human' and n_audits > 0
    """)
    keys = ["month_starts_on", "queue_id", "policy_parent_id"]
    both = cube[cube["decided_by_type"] == "human"].merge(people, on=keys)
    few = both["n_people"] < 5
    assert few.any()
    assert (few & both["is_withheld"]).eq(few).all()
    assert both.loc[both["is_withheld"], "n_audits"].isna().all()
    assert (~both["is_withheld"]).any()
    # And loses nothing.
    assert cube.loc[cube["decided_by_type"] == "human", "n_audits"].sum() == people["n_all"].sum()


def test_audits_that_are_due_are_those_of_the_plan(platform):
    due = platform.query("""
        select plan_id, period_starts_on, sum(n_planned) as n_planned, sum(n_final) as n_final,
            max(due_on) - max(period_ends_on) as n_days
        from report.audits_due group by all
    """)
    plans = platform.query("""
        select plan_id, cast(period_start as date) as period_starts_on, n_planned, n_final
        from rates.audit_completion where scope = 'plan'
    """)
    both = due.merge(plans, on=["plan_id", "period_starts_on"], how="outer")
    assert len(both) == len(plans)
    assert (both["n_planned_x"] == both["n_planned_y"]).all()
    assert (both["n_final_x"] == both["n_final_y"]).all()
    assert set(due["n_days"]) == {11}
