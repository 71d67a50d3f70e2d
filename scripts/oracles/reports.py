"""The mart report_rates once more: how often reports lead to action."""

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from .accuracy import periods_of
from .disclosure import codes_of
from .raw_tables import RawTables
from .sample import known_at
from .transparency import ENFORCING_CODES, read_decisions, times

LEAST = 30
GROUP = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
COUNTS = ["n_reports", "n_looked_at", "n_acted_on", "n_pending"]
# By metric: what is counted of what. Of those pending all is known, so there is no interval.
METRICS = {
    "report_action_rate": ("n_acted_on", "n_looked_at"),
    "report_pending_share": ("n_pending", "n_reports"),
}
IN_FULL = "report_pending_share"


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the mart of reports.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    sums = _sums(_reports(raw))
    listed = raw.suppressed("workload")
    listed = listed[listed["dimension_name"] == "policy"]
    codes = codes_of(sums, listed.assign(dimension_name="reported_policy"))
    for _, group in sums.groupby(GROUP[:-1]):
        shown = group[codes[group.index].isna()]
        if len(group) - len(shown) == 1 and len(shown):
            smallest = shown.sort_values(["n_reports", "dimension_value"]).index[0]
            codes[smallest] = "suppressed_complementary"
    parts = [_rates(sums, codes, metric) for metric in METRICS]
    return {"rates.report_rates": pd.concat(parts, ignore_index=True)}


def _reports(raw: RawTables) -> pd.DataFrame:
    """The reports, each 1 or 0 for what has come of it."""
    columns = ["item_id", "reported_at", "reporter_kind", "policy_id"]
    reports = raw.latest("reports", ["report_id"], columns)
    reports["reported_at"] = times(reports["reported_at"])
    reports = reports[reports["reported_at"] <= known_at(raw)]
    decisions = read_decisions(raw)[["item_id", "decided_at", "action_code"]]
    both = reports[["report_id", "item_id", "reported_at"]].merge(decisions, on="item_id")
    both = both[both["decided_at"] >= both["reported_at"]]
    enforced = both["action_code"].isin(ENFORCING_CODES)
    looked_at = both[enforced | (both["action_code"] == "no_action")]["report_id"]
    is_looked_at = reports["report_id"].isin(looked_at)
    return reports.assign(
        n_reports=1,
        n_looked_at=is_looked_at * 1,
        n_acted_on=reports["report_id"].isin(both.loc[enforced, "report_id"]) * 1,
        n_pending=~is_looked_at * 1,
    )


def _sums(reports: pd.DataFrame) -> pd.DataFrame:
    """The counts by period and dimension."""
    of = {
        "overall": pd.Series("all", index=reports.index),
        "reported_policy": reports["policy_id"].fillna("unknown"),
        "reporter_kind": reports["reporter_kind"].fillna("unknown"),
    }
    parts = []
    for period_type, starts in periods_of(reports["reported_at"]).items():
        for name, value in of.items():
            by = [starts.rename("period_starts_on"), value.rename("dimension_value")]
            part = reports.groupby(by)[COUNTS].sum().reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    return pd.concat(parts, ignore_index=True).astype(dict.fromkeys(COUNTS, float))


def _rates(sums: pd.DataFrame, codes: pd.Series, metric: str) -> pd.DataFrame:
    """A metric with its interval and the reason why it is not reported; empty where suppressed."""
    numerator, denominator = METRICS[metric]
    found = sums.assign(metric_id=metric, n=sums[denominator], n_successes=sums[numerator])
    found["estimate"] = found["n_successes"] / found["n"].replace(0, np.nan)
    found[["ci_low", "ci_high"]] = np.nan
    if metric != IN_FULL:
        some = found[found["n"] > 0]
        low, high = proportion_confint(some["n_successes"], some["n"], method="wilson")
        found.loc[some.index, "ci_low"], found.loc[some.index, "ci_high"] = low, high
    why = pd.Series("", index=found.index)
    why[(found["n"] < LEAST) & (metric != IN_FULL)] = "too_few_cases"
    why[found["n"] == 0] = "zero_denominator"
    found["reason_code"] = codes.where(codes.notna(), why.replace("", None).astype(object))
    hidden = [*COUNTS, "n", "n_successes", "estimate", "ci_low", "ci_high"]
    found.loc[codes.notna(), hidden] = np.nan
    return found
