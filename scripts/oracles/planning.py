"""The marts of models/planning once more: the next audit plan, its options, what no plan covers.

An allocation of audits is found by scipy's root finder. The variables are those of dbt_project.yml
as it is delivered.
"""

import math

import numpy as np
import pandas as pd
from scipy import optimize

from .intervals import stratified_wilson
from .raw_tables import RawTables
from .sample import Sample, known_at, read_sample

MATURITY_DAYS = 35
HALF_WIDTH, MIN_PER_STRATUM, HISTORY, MORE = 0.02, 5, 8, (100, 250, 500, 1000)


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the marts of planning.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    sample, as_of = read_sample(raw), known_at(raw)
    return plans(sample, as_of) | {"planning.plan_coverage": coverage(sample, as_of)}


def allocate(size: np.ndarray, spread: np.ndarray, least: np.ndarray, budget: float) -> np.ndarray:
    """Share audits out to the least variance, each stratum between its minimum and its size.

    Args:
        size: decisions of each stratum.
        spread: its standard deviation.
        least: its minimum.
        budget: audits.
    """

    def at(level: float) -> np.ndarray:
        return np.clip(np.exp(level) * size * spread, least, size)

    def missing(level: float) -> float:
        return at(level).sum() - budget

    low, high = -60.0, 60.0
    if missing(low) >= 0:
        n = at(low)
    elif missing(high) <= 0:
        n = at(high)
    else:
        n = at(optimize.brentq(missing, low, high, xtol=1e-14, rtol=1e-15, maxiter=500))
    # A root is found to the last digits: what is whole but for them is whole.
    n = np.where(abs(n - n.round()) < 1e-7, n.round(), n)
    whole = np.floor(n)
    left = round(budget - whole.sum())
    order = np.lexsort((np.arange(len(n)), -np.round(n - whole, 9)))
    raised = order[: max(left, 0)]
    whole[raised] += (n > whole)[raised]
    return whole


def half_width(strata: pd.DataFrame, n: np.ndarray, inside: np.ndarray) -> float:
    """Half the width of the published interval, if audits find what is expected.

    Args:
        strata: a plan's strata: queue_id, size and rate.
        n: the audits of each.
        inside: whether each is in the part that is asked about.
    """
    audited = inside & (n > 0)
    if not audited.any():
        return math.nan
    size, audits = strata["size"].to_numpy(float)[audited], n[audited].astype(float)
    found = audits * strata["rate"].to_numpy()[audited]
    low, high = stratified_wilson(size / size.sum(), size / audits, audits, found)
    return float(high - low) / 2


def narrow_enough(strata: pd.DataFrame, spread: np.ndarray, least: np.ndarray) -> np.ndarray:
    """The first allocation of the ladder, 2 % more audits a step, that meets the target.

    Args:
        strata: a plan's strata, as half_width takes them.
        spread: the standard deviation of each.
        least: its minimum.
    """
    size, budget = strata["size"].to_numpy(), least.sum()
    everything = np.full(len(size), True)
    while budget < size.sum():
        n = allocate(size, spread, least, math.floor(budget))
        if half_width(strata, n, everything) <= HALF_WIDTH:
            return n
        budget *= 1.02
    return size


def plans(sample: Sample, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The marts audit_plan and audit_plan_options."""
    frames = sample.strata.copy()
    counted = sample.audits[sample.audits["stratum"] >= 0]
    is_correct = counted["error_class"] == "correct"
    frames["n_correct"] = is_correct.groupby(counted["stratum"]).sum().reindex(frames.index)
    frames["n_correct"] = frames["n_correct"].fillna(0)
    proposed, options = [], []
    for plan, framed in frames.groupby("plan_id"):
        starts = sorted(framed["period_start"].unique())[-HISTORY:]
        rows = framed[framed["period_start"].isin(starts)]
        strata = next_strata(rows, starts, as_of)
        size = strata["size"].to_numpy()
        spread = np.sqrt(strata["rate"] * (1 - strata["rate"])).to_numpy()
        least = np.minimum(size, MIN_PER_STRATUM)
        current = strata["current"].to_numpy()
        chosen = {"current": current, "target": narrow_enough(strata, spread, least)}
        further = {"same_size": 0} | {f"more_{more}": more for more in MORE}
        for name, more in further.items():
            chosen[name] = allocate(size, spread, least, current.sum() + more)
        for name, n in chosen.items():
            options += _option(plan, name, strata, n)
        n = chosen["target"]
        done = strata["completion_rate"].clip(upper=1).replace(0, np.nan).fillna(1)
        proposed.append(
            pd.DataFrame(
                {
                    "plan_id": plan,
                    "stratum_id": strata.index,
                    "population_size": size,
                    "n_audits_measured": strata["n"],
                    "n_correct_measured": strata["k"],
                    "current_sample_size": current,
                    "minimum_size": least,
                    "proposed_sample_size": n,
                    "n_to_draw": np.minimum(np.ceil(n / done - 1e-9), size),
                    "smoothed_rate": strata["rate"],
                    "standard_deviation": spread,
                    "completion_rate": strata["completion_rate"],
                    "plan_expected_half_width": half_width(strata, n, n >= 0),
                }
            ).reset_index(drop=True)
        )
    if not proposed:
        return {}
    return {
        "planning.audit_plan": pd.concat(proposed),
        "planning.audit_plan_options": pd.DataFrame(options),
    }


def next_strata(rows: pd.DataFrame, starts: list, as_of: pd.Timestamp) -> pd.DataFrame:
    """What is to be expected of the strata of a plan's last frame in its next period.

    Args:
        rows: the strata of the plan's last frames, with n_correct.
        starts: the first moments of these frames, in order.
        as_of: the latest moment that the world knows.

    Returns:
        By stratum: queue_id, n and k (audits, correct ones), total and size (decisions of all
        periods and to be expected), rate, current (audits of the last frame), completion_rate.
    """
    last = rows[rows["period_start"] == starts[-1]].set_index("stratum_id")
    strata = rows.groupby("stratum_id").agg(
        queue_id=("queue_id", "max"),
        first=("period_start", "min"),
        n=("n_audits", "sum"),
        k=("n_correct", "sum"),
        total=("population_size", "sum"),
    )
    strata = strata.loc[sorted(last.index)]
    lived = strata["first"].map(lambda first: sum(start >= first for start in starts))
    strata["size"] = np.maximum(np.floor(strata["total"] / lived + 0.5), 1)
    audited = strata[strata["n"] > 0]
    rate, audits = 0.5, audited["n"].sum()
    if audits:
        rate = np.average(audited["k"] / audited["n"], weights=audited["total"])
        rate = (audits * rate + 0.5) / (audits + 1)
    strata["rate"] = (strata["k"] + 2 * rate) / (strata["n"] + 2)
    planned = last["planned_sample_size"].fillna(last["n_audits"])
    strata["current"] = planned.reindex(strata.index).clip(upper=strata["size"])
    ends = pd.to_datetime(rows["period_end"]).dt.normalize() + pd.Timedelta(days=MATURITY_DAYS)
    mature = rows[ends <= as_of.normalize()]
    planned = mature["planned_sample_size"].sum()
    strata["completion_rate"] = mature["n_audits"].sum() / planned if planned else math.nan
    return strata


def _option(plan: str, name: str, strata: pd.DataFrame, n: np.ndarray) -> list[dict]:
    size = strata["size"].to_numpy()
    queue = strata["queue_id"].fillna("no single queue").to_numpy()
    parts = [("overall", "all", np.full(len(n), True))]
    parts += [("queue", value, queue == value) for value in sorted(set(queue))]
    return [
        {
            "plan_id": plan,
            "option_id": name,
            "dimension_name": dimension,
            "dimension_value": value,
            "n_audits": n[inside].sum(),
            "n_decisions": size[inside].sum(),
            "n_covered_decisions": size[inside & (n > 0)].sum(),
            "expected_half_width": half_width(strata, n, inside),
        }
        for dimension, value, inside in parts
    ]


def coverage(sample: Sample, as_of: pd.Timestamp) -> pd.DataFrame:
    """The mart plan_coverage."""
    decisions, strata = sample.decisions[sample.decisions["is_eligible"]], sample.strata
    days = pd.to_datetime(decisions["decided_at"]).dt.normalize()
    if len(strata):
        first = sorted(pd.to_datetime(strata["period_start"]).unique())[-HISTORY:][0]
        decisions = decisions[days >= first.normalize()]
    in_frame = pd.Series(False, index=decisions.index)
    for period in strata[["period_start", "period_end"]].drop_duplicates().itertuples():
        in_frame |= (decisions["decided_at"] >= period.period_start) & (
            decisions["decided_at"] < period.period_end
        )
    audits = decisions["stratum"].map(strata["n_audits"])
    planned = decisions["stratum"].map(strata["planned_sample_size"])
    since_end = (
        as_of.normalize()
        - pd.to_datetime(decisions["stratum"].map(strata["period_end"])).dt.normalize()
    )
    is_due = since_end >= pd.Timedelta(days=MATURITY_DAYS)
    status = np.select(
        [audits > 0, (planned > 0) & is_due, planned > 0, decisions["stratum"] >= 0, in_frame],
        [
            "covered",
            "planned_and_not_done",
            "audits_not_in_yet",
            "stratum_without_audits",
            "in_no_stratum",
        ],
        default="period_without_frame",
    )
    rows = pd.DataFrame(
        {
            "coverage_status": status,
            "queue_id": decisions["queue_id"].fillna("unknown"),
            "decided_by_type": decisions["decided_by_type"],
            "action_group": decisions["has_enforced"].map(
                {True: "enforced", False: "not_enforced"}
            ),
        }
    )
    found = rows.value_counts().rename("n_decisions").reset_index()
    found["share_of_decisions"] = found["n_decisions"] / found["n_decisions"].sum()
    return found
