"""The marts of models/appeals once more: who appeals, how appeals end, how long they take."""

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from .accuracy import dimensions, periods_of
from .disclosure import codes_of
from .raw_tables import RawTables
from .sample import Sample, known_at, read_sample

MIN_APPEALS = 30
MATURITY_DAYS = 180
CLOCK_SKEW = pd.Timedelta(minutes=5)
GROUP = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
OUTCOMES = ["granted", "partial", "denied", "withdrawn", "pending"]
# By metric: whose appeals, by which day, what is counted of what.
METRICS = {
    "appeal_rate_by_action_date": ("affected", "decided_at", "appealed", "actions"),
    "action_overturn_rate_by_action_date": ("affected", "decided_at", "overturned", "actions"),
    "restored_without_appeal_by_action_date": ("affected", "decided_at", "restored", "actions"),
    "appeal_overturn_rate_by_answer_date": ("affected", "answered_at", "upheld", "judged"),
    "granted_not_restored_by_answer_date": ("affected", "answered_at", "not_restored", "due"),
    "notifier_overturn_rate_by_answer_date": ("notifier", "answered_at", "upheld", "judged"),
    "appeal_pending_share_by_filing_date": ("affected", "filed_at", "pending", "appeals"),
    "notifier_pending_share_by_filing_date": ("notifier", "filed_at", "pending", "appeals"),
}
IN_FULL = ["appeal_pending_share_by_filing_date", "notifier_pending_share_by_filing_date"]
RATE = ["n", "n_successes", "estimate", "standard_error", "ci_low", "ci_high"]
COUNTS = ["n_appeals", *(f"n_{outcome}" for outcome in OUTCOMES)]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the marts of appeals.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    sample = read_sample(raw)
    as_of = known_at(raw)
    actions = actions_of(sample)
    appeals = appeals_of(raw, sample, actions, as_of)
    return {"appeals.appeal_rates": appeal_rates(raw, actions, appeals, as_of)}


def actions_of(sample: Sample) -> pd.DataFrame:
    """Decisions that could be appealed, with when each was undone first."""
    decisions = sample.decisions
    later = decisions.dropna(subset="supersedes_decision_id")
    of = later.groupby("supersedes_decision_id")["decided_at"]
    replaced_at = decisions["decision_id"].map(of.min())
    undone = later[later["action_code"] == "reverse"]
    undone_at = undone.groupby("supersedes_decision_id")["decided_at"].min()
    at_once = replaced_at.dt.floor("s") == decisions["decided_at"].dt.floor("s")
    rows = decisions.assign(reversed_at=decisions["decision_id"].map(undone_at))
    rows["at_once"] = at_once
    rows["has_reversals"] = len(undone) > 0
    return rows[rows["is_eligible"] & ~at_once]


def appeals_of(
    raw: RawTables, sample: Sample, actions: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Appeals that are counted, each with its decision and how it ended."""
    columns = ["decision_id", "filed_at", "decided_at", "outcome", "channel"]
    rows = raw.latest("appeals", ["appeal_id"], columns)
    rows = rows.rename(columns={"decided_at": "answered_at"})
    for name in ("filed_at", "answered_at"):
        rows[name] = pd.to_datetime(rows[name])
    rows["channel"] = rows["channel"].fillna("internal").astype(object)
    rows = rows.merge(actions, on="decision_id")
    rows = rows[rows["filed_at"] >= rows["decided_at"] - CLOCK_SKEW]
    rows["appellant"] = np.where(rows["has_enforced"], "affected", "notifier")
    rows.loc[rows["outcome"] == "pending", "answered_at"] = pd.NaT
    is_due = (rows["outcome"] == "granted") & (rows["answered_at"] <= as_of - pd.Timedelta(days=1))
    return rows.assign(
        appeals=1,
        **{outcome: (rows["outcome"] == outcome) * 1 for outcome in OUTCOMES},
        judged=rows["outcome"].isin(["granted", "partial", "denied"]) * 1,
        upheld=rows["outcome"].isin(["granted", "partial"]) * 1,
        due=is_due * 1,
        not_restored=(is_due & rows["reversed_at"].isna()) * 1,
    )


def appeal_rates(
    raw: RawTables, decisions: pd.DataFrame, appeals: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Every rate of appeals by period and dimension."""
    actions = decisions[decisions["has_enforced"]]
    of_actions = appeals[appeals["appellant"] == "affected"]
    ids = actions["decision_id"]
    appealed = ids.isin(of_actions["decision_id"])
    actions = actions.assign(
        actions=1,
        appealed=appealed * 1,
        overturned=ids.isin(of_actions.loc[of_actions["upheld"] == 1, "decision_id"]) * 1,
        restored=(actions["reversed_at"].notna() & ~appealed) * 1,
    )
    events = pd.concat([actions, of_actions], ignore_index=True)
    parts = []
    for metric, (appellant, anchor, numerator, denominator) in METRICS.items():
        rows = events if anchor == "decided_at" else appeals
        if anchor != "decided_at":
            rows = rows[(rows["appellant"] == appellant) & rows[anchor].notna()]
        if rows.empty:
            continue
        counted = [*OUTCOMES, "appeals", "judged"]
        wanted = list(dict.fromkeys([numerator, denominator, *counted]))
        sums = _sums(rows, anchor, wanted)
        found = sums[GROUP].assign(metric_id=metric, n=sums[denominator])
        found["n_successes"] = sums[numerator]
        found["n_judged"] = sums["judged"]
        found[COUNTS] = sums[["appeals", *OUTCOMES]].to_numpy()
        is_recorded = len(appeals) > 0 and (
            numerator not in ("restored", "not_restored") or bool(decisions["has_reversals"].any())
        )
        parts.append(_judged(raw, found, metric, is_recorded))
    found = pd.concat(parts, ignore_index=True)
    found["maturity_status"] = _maturity(found, as_of)
    return found


def _sums(rows: pd.DataFrame, anchor: str, names: list[str]) -> pd.DataFrame:
    """Sums of columns by period and dimension."""
    rows = rows.reindex(columns=[*rows.columns, *(n for n in names if n not in rows.columns)])
    rows[names] = rows[names].fillna(0)
    groups = dimensions(rows)
    of = {
        name: groups[name]
        for name in ("overall", "policy", "policy_parent", "decided_by", "language")
    }
    of["action"] = rows["action_code"]
    if anchor != "decided_at":
        of["channel"] = rows["channel"]
    periods = periods_of(rows[anchor])
    periods["quarter"] = rows[anchor].dt.to_period("Q").dt.start_time
    parts = []
    for period_type, starts in periods.items():
        for name, value in of.items():
            by = [starts.rename("period_starts_on"), value.rename("dimension_value")]
            part = rows.groupby(by)[names].sum().reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    return pd.concat(parts, ignore_index=True)


def _judged(raw: RawTables, found: pd.DataFrame, metric: str, is_recorded: bool) -> pd.DataFrame:
    """With estimate, interval and the reason why it is not reported; empty where suppressed."""
    appellant, anchor, numerator, _ = METRICS[metric]
    found = found.astype(dict.fromkeys(["n", "n_successes", "n_judged", *COUNTS], float))
    if not is_recorded:
        found["n_successes"] = np.nan
    found["estimate"] = found["n_successes"] / found["n"].replace(0, np.nan)
    _add_interval(found, metric)
    codes = codes_of(found, raw.suppressed(f"{appellant} by {anchor}"))
    if anchor == "decided_at":
        codes = codes.where(codes.notna(), codes_of(found, raw.suppressed("accuracy")))
    # Whom the list withholds with a small group may have nothing of the metric: then one more.
    for _, group in found[found["n"] > 0].assign(code=codes).groupby(GROUP[:-1]):
        shown = group[group["code"].isna()]
        if len(group) - len(shown) == 1 and len(shown):
            codes[shown.sort_values(["n", "dimension_value"]).index[0]] = "suppressed_complementary"
    reasons = {
        "not_recorded": pd.Series(not is_recorded, index=found.index),
        "zero_denominator": found["n"] == 0,
        "too_few_cases": (found["n"] < MIN_APPEALS) & (metric not in IN_FULL),
        "too_few_appeals": (found["n_judged"] < MIN_APPEALS) & (numerator == "overturned"),
    }
    why = pd.Series(np.select(list(reasons.values()), list(reasons), ""), index=found.index)
    found["reason_code"] = codes.where(codes.notna(), why.replace("", None).astype(object))
    found.loc[codes.notna(), [*RATE, *COUNTS]] = np.nan
    return found.drop(columns="n_judged")


def _add_interval(found: pd.DataFrame, metric: str) -> None:
    """Standard error and Wilson's interval, but of what is counted in full."""
    found[["standard_error", "ci_low", "ci_high"]] = np.nan
    there = found["estimate"].notna()
    if metric in IN_FULL or not there.any():
        return
    some = found[there]
    low, high = proportion_confint(some["n_successes"], some["n"], method="wilson")
    p = some["estimate"]
    error = np.sqrt(p * (1 - p) / some["n"])
    found.loc[there, "ci_low"], found.loc[there, "ci_high"] = low, high
    found.loc[there, "standard_error"] = error.where((p > 0) & (p < 1))


def _maturity(found: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Final, once nothing but late data can change a row."""
    length = {"week": pd.DateOffset(days=6), "month": pd.offsets.MonthEnd(0)}
    length["quarter"] = pd.offsets.QuarterEnd(0)
    ends = pd.concat(
        [part["period_starts_on"] + length[name] for name, part in found.groupby("period_type")]
    )
    by_answer = found["metric_id"].str.endswith("by_answer_date")
    waits = pd.to_timedelta(np.where(by_answer, 0, MATURITY_DAYS), unit="D")
    is_final = ends.reindex(found.index) + waits < as_of.normalize()
    return pd.Series(np.where(is_final, "final", "provisional"), index=found.index)
