"""The marts of models/appeals once more: who appeals, how appeals end, how long they take."""

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from .accuracy import dimensions, periods_of
from .disclosure import codes_of
from .raw_tables import RawTables, looked_up
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
# By metric: whose appeals, and the share that still waits there.
WAITS = {
    "appeal_turnaround_median": ("affected", 0.5),
    "appeal_turnaround_p90": ("affected", 0.1),
    "notifier_turnaround_median": ("notifier", 0.5),
}
MIN_ANSWERED = 10
WAITED = [
    "n", "n_answered", "n_withdrawn", "n_pending", "n_left_out", "n_decided_in_period",
    "n_notified",
]  # fmt: skip
HOURS = ["estimate", "ci_low", "ci_high", "longest_wait_hours", "decided_only_estimate"]
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
    return {
        "appeals.appeal_rates": appeal_rates(raw, actions, appeals, as_of),
        "appeals.appeal_turnaround": appeal_turnaround(raw, appeals, as_of),
    }


def actions_of(sample: Sample) -> pd.DataFrame:
    """Decisions that could be appealed, with when each was undone first."""
    decisions = sample.decisions
    later = decisions.dropna(subset="supersedes_decision_id")
    of = later.groupby("supersedes_decision_id")["decided_at"]
    replaced_at = looked_up(decisions["decision_id"], of.min())
    undone = later[later["action_code"] == "reverse"]
    undone_at = undone.groupby("supersedes_decision_id")["decided_at"].min()
    at_once = replaced_at.dt.floor("s") == decisions["decided_at"].dt.floor("s")
    rows = decisions.assign(reversed_at=looked_up(decisions["decision_id"], undone_at))
    rows["at_once"] = at_once
    rows["has_reversals"] = len(undone) > 0
    return rows[rows["is_eligible"] & ~at_once]


def appeals_of(
    raw: RawTables, sample: Sample, actions: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Appeals that are counted, each with its decision and how it ended."""
    columns = ["decision_id", "filed_at", "decided_at", "outcome", "channel", "notified_at"]
    rows = raw.latest("appeals", ["appeal_id"], columns)
    rows = rows.rename(columns={"decided_at": "answered_at"})
    for name in ("filed_at", "answered_at", "notified_at"):
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
    _withhold_one_more(found, codes)
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


def _withhold_one_more(found: pd.DataFrame, codes: pd.Series) -> None:
    """Where one group alone is withheld, the smallest other one that has something."""
    rows = found.assign(code=codes, is_empty=found["n"] == 0)
    for _, group in rows.groupby(GROUP[:-1]):
        shown = group[group["code"].isna()]
        if len(group) - len(shown) == 1 and len(shown):
            smallest = shown.sort_values(["is_empty", "n", "dimension_value"]).index[0]
            codes[smallest] = "suppressed_complementary"


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


def appeal_turnaround(raw: RawTables, appeals: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """How long appeals wait, by statsmodels; and those that were answered alone."""
    rows = appeals.assign(is_pending=appeals["outcome"] == "pending")
    has_ended = ~rows["is_pending"]
    is_left_out = has_ended & ~(rows["answered_at"] >= rows["filed_at"])
    until = rows["answered_at"].where(has_ended, as_of)
    told = rows[["answered_at", "notified_at"]].max(axis=1)
    rows = rows.assign(
        n=(~is_left_out) * 1,
        n_answered=(~is_left_out & (rows["judged"] == 1)) * 1,
        n_withdrawn=(~is_left_out & (rows["outcome"] == "withdrawn")) * 1,
        n_pending=rows["is_pending"] * 1,
        n_left_out=is_left_out * 1,
        wait=_steps(until - rows["filed_at"]),
        told_after=_steps(told - rows["filed_at"]),
        n_notified=(rows["notified_at"] >= rows["answered_at"]) * 1,
    )
    parts = []
    for metric, (appellant, share) in WAITS.items():
        found = _waits(rows[rows["appellant"] == appellant], share)
        if found.empty:
            continue
        bases = [raw.suppressed(f"{appellant} by {name}") for name in ("filed_at", "answered_at")]
        codes, of_answer = (codes_of(found, listed) for listed in bases)
        codes = codes.where(codes.notna(), of_answer)
        _withhold_one_more(found, codes)
        reasons = {
            "zero_denominator": found["n"] == 0,
            "too_few_cases": found["n"] < MIN_APPEALS,
            "too_few_ends": found["n_answered"] < MIN_ANSWERED,
            "not_reached": found["estimate"].isna(),
        }
        why = pd.Series(np.select(list(reasons.values()), list(reasons), ""), index=found.index)
        found["reason_code"] = codes.where(codes.notna(), why.replace("", None).astype(object))
        found.loc[found["reason_code"].notna(), HOURS[:3]] = np.nan
        found.loc[found["n_decided_in_period"] < MIN_APPEALS, "decided_only_estimate"] = np.nan
        found = found.astype(dict.fromkeys(WAITED, float))
        found.loc[codes.notna(), [*WAITED, *HOURS]] = np.nan
        found["decided_only_difference"] = found["estimate"] - found["decided_only_estimate"]
        parts.append(found.assign(metric_id=metric))
    empty = pd.DataFrame(columns=[*GROUP, "metric_id"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _steps(wait: pd.Series) -> pd.Series:
    """Seconds up to an hour, above whole minutes, up."""
    seconds = np.floor(wait.dt.total_seconds())
    return seconds.where(seconds <= 3600, np.ceil(seconds / 60) * 60)


def _waits(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """One row a group: counts, the quantile and its interval, and that of answered appeals."""
    answered = rows[rows["n_answered"] == 1]
    by_filing, by_answer = _groups_of(rows, "filed_at"), _groups_of(answered, "answered_at")
    found = []
    for key in by_filing.keys() | by_answer.keys():
        filed = by_filing.get(key, rows[:0])
        decided = by_answer.get(key, rows[:0])
        row = dict(zip(GROUP, key, strict=True)) | {name: filed[name].sum() for name in WAITED[:5]}
        row |= {"n_decided_in_period": len(decided), "n_notified": decided["n_notified"].sum()}
        seen = filed[filed["n"] == 1]
        low, middle, high = _quantile(seen, share)
        row |= {"estimate": middle / 3600, "ci_low": low / 3600, "ci_high": high / 3600}
        row["longest_wait_hours"] = seen["wait"].max() / 3600
        waits = np.sort(decided["told_after"].to_numpy())
        place = int(np.ceil((1 - share) * len(waits) - 1e-9)) - 1
        row["decided_only_estimate"] = waits[place] / 3600 if len(waits) else np.nan
        found.append(row)
    return pd.DataFrame(found)


def _quantile(seen: pd.DataFrame, share: float) -> tuple[float, float, float]:
    """Kaplan-Meier's quantile between the ends of its log-log interval; not a number where open."""
    if not seen["n_answered"].sum():
        return np.nan, np.nan, np.nan
    curve = SurvfuncRight(seen["wait"], seen["n_answered"])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = curve.quantile_ci(1 - share, method="cloglog")
    reached = curve.surv_times[curve.surv_prob <= share + 1e-9]
    ends = [float(end) if np.isfinite(end) else np.nan for end in (low, high)]
    return ends[0], reached.min() if len(reached) else np.nan, ends[1]


def _groups_of(rows: pd.DataFrame, anchor: str) -> dict[tuple, pd.DataFrame]:
    """The rows of each period and dimension value, by the key of their group."""
    if rows.empty:
        return {}
    groups = dimensions(rows)
    names = ("overall", "policy", "policy_parent", "decided_by", "language")
    of = {name: groups[name] for name in names}
    of |= {"action": rows["action_code"], "channel": rows["channel"]}
    periods = periods_of(rows[anchor])
    periods["quarter"] = rows[anchor].dt.to_period("Q").dt.start_time
    return {
        (period_type, start, name, value): part
        for period_type, starts in periods.items()
        for name, values in of.items()
        for (start, value), part in rows.groupby([starts.rename("s"), values.rename("v")])
    }


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
