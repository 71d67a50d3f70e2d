"""models/rates once more: accuracy, errors and policies, by samplics' Taylor linearisation."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from .disclosure import OF_PEOPLE, codes_of
from .intervals import (
    PSEUDO_AUDITS,
    Z,
    inverse_n,
    ratio_of_shares,
    stratified_wilson,
    upper_bound,
)
from .raw_tables import RawTables
from .sample import (
    BANDS,
    STRENGTH,
    Sample,
    read_sample,
    valid_at,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst

# Days are many, and their arithmetic is that of weeks. Of four weeks every fourth is compared.
FIRST_MONDAY = pd.Timestamp("1970-01-05")
SCOPE = {
    "rates.accuracy_rates": f"""
        period_type in ('week', 'month')
        or period_type = 'four_weeks'
        and (period_starts_on - date '{FIRST_MONDAY:%Y-%m-%d}') % 28 = 0
    """
}
POINTS = {"none": 0, "low": 1, "medium": 3, "high": 7, "severe": 10}
INTERVAL = ["n_base_audits", "effective_n", "share_in_sight", "ci_low", "ci_high"]
RATE = [
    "n", "n_successes", "estimate", "standard_error", "weighted_denominator", *INTERVAL,
]  # fmt: skip


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The accuracy marts of a world, weeks, months and four weeks."""
    sample = read_sample(raw)
    for name, values in findings(sample.audits).items():
        sample.audits[name] = values
    return {
        "rates.accuracy_rates": accuracy_rates(sample, raw),
        "rates.policy_rates": policy_rates(sample, raw),
        "rates.overturned_decisions": overturned(sample, raw),
    }


def findings(audits: pd.DataFrame) -> dict[str, pd.Series]:
    """What each audit adds to the numerators and denominators of seed metrics."""
    error = audits["error_class"]
    judged = error != "technical"
    is_wrong = error == "wrong_selection"
    known = audits["is_critical"].notna() & ~audits["is_overturned"]
    right = error == "correct"
    points = audits["severity"].map(POINTS).where(~audits["is_overturned"])
    points = points.where(~right, 0)
    strength = audits["decided_action_code"].map(STRENGTH) - audits["truth_action_code"].map(
        STRENGTH
    )
    other_policy = is_wrong & (audits["decided_policy_id"] != audits["truth_policy_id"])
    named = other_policy & audits["decided_policy_id"].notna()
    same_parent = audits["decided_policy_parent"] == audits["truth_policy_parent"]
    views = audits["views_at_decision"].astype(float)
    enforced, violating = (
        audits[name].fillna(False).astype(bool) for name in ("has_enforced", "is_violating")
    )
    return {
        "n_audits": pd.Series(1.0, index=audits.index),
        "n_correct": right * 1.0,
        "n_false_positive": (error == "false_positive") * 1.0,
        "n_false_negative": (error == "false_negative") * 1.0,
        "n_wrong_selection": is_wrong * 1.0,
        "n_technical": (error == "technical") * 1.0,
        "n_not_technical": judged * 1.0,
        "n_enforced": (judged & enforced) * 1.0,
        "n_violating": (judged & violating) * 1.0,
        "n_not_violating": (judged & ~violating) * 1.0,
        "n_wrong_policy_same_parent": (named & same_parent) * 1.0,
        "n_wrong_policy_other_parent": (named & ~same_parent) * 1.0,
        "n_too_strict": (is_wrong & (strength > 0)) * 1.0,
        "n_too_lenient": (is_wrong & (strength < 0)) * 1.0,
        "n_critical": (
            ~right & known & audits["is_critical"].fillna(False).astype(bool)
        ) * 1.0,
        "n_criticality_known": (right | known) * 1.0,
        "severity_points_kept": (max(POINTS.values()) - points).fillna(0),
        "severity_points_at_stake": points.notna() * float(max(POINTS.values())),
        "views": views.fillna(0),
        "false_positive_views": views.fillna(0) * (error == "false_positive"),
        "false_negative_views": views.fillna(0) * (error == "false_negative"),
        "n_severity_known": points.notna() * 1.0,
        "n_views_known": views.notna() * 1.0,
        "n_technical_known": audits["is_technical_error"].notna() * 1.0,
    }  # fmt: skip


# Metric: numerator, denominator, and what is counted as its audits. Later versions end in _v2.
METRICS = {
    "accuracy": ("n_correct", "n_audits", "n_audits"),
    "accuracy_v2": ("n_correct", "n_not_technical", "n_not_technical"),
    "false_positive_share": ("n_false_positive", "n_audits", "n_audits"),
    "false_negative_share": ("n_false_negative", "n_audits", "n_audits"),
    "wrong_selection_rate": ("n_wrong_selection", "n_audits", "n_audits"),
    "technical_error_rate": ("n_technical", "n_audits", "n_audits"),
    "wrong_policy_same_parent_rate": ("n_wrong_policy_same_parent", "n_audits", "n_audits"),
    "wrong_policy_other_parent_rate": ("n_wrong_policy_other_parent", "n_audits", "n_audits"),
    "too_strict_rate": ("n_too_strict", "n_audits", "n_audits"),
    "too_lenient_rate": ("n_too_lenient", "n_audits", "n_audits"),
    "critical_error_rate": ("n_critical", "n_criticality_known", "n_criticality_known"),
    "false_positive_rate": ("n_false_positive", "n_not_violating", "n_not_violating"),
    "false_negative_rate": ("n_false_negative", "n_violating", "n_violating"),
    "false_discovery_rate": ("n_false_positive", "n_enforced", "n_enforced"),
    "severity_weighted_accuracy": (
        "severity_points_kept", "severity_points_at_stake", "n_severity_known",
    ),
    "false_positive_harm": ("false_positive_views", "views", "n_views_known"),
    "false_negative_harm": ("false_negative_views", "views", "n_views_known"),
}  # fmt: skip
OF_THE_TRUTH = ("n_violating", "n_not_violating")
# What a metric asks about each audit, or each with an error: what says that there is an answer.
FLAGS = {
    "critical_error_rate": ("n_criticality_known", "errors"),
    "severity_weighted_accuracy": ("n_severity_known", "errors"),
    "technical_error_rate": ("n_technical_known", "audits"),
    "accuracy_v2": ("n_technical_known", "audits"),
}


# The first day of the period of each moment, by type of period.
Periods = Callable[[pd.Series], dict[str, pd.Series]]


@dataclass(frozen=True)
class Terms:
    """What each audit adds to a rate.

    Attributes:
        kept: the numerator.
        at_stake: the denominator.
        counted: 1 if it counts as an audit of the rate.
        base: of a rate over the truth, 1 if it is an audit of the group; else null.
        cannot_err: of such a rate, 1 if its decision cannot be what the rate looks for.
    """

    kept: pd.Series
    at_stake: pd.Series
    counted: pd.Series
    base: pd.Series | None = None
    cannot_err: pd.Series | None = None


def terms_of(metric: str, audits: pd.DataFrame) -> Terms:
    """The terms of a metric of accuracy_rates."""
    numerator, denominator, counted = METRICS[metric]
    terms = (audits[numerator], audits[denominator], audits[counted])
    if denominator not in OF_THE_TRUTH:
        return Terms(*terms)
    enforced = audits["n_enforced"]
    return Terms(
        *terms,
        base=audits["n_audits"],
        cannot_err=enforced if denominator == "n_violating" else audits["n_audits"] - enforced,
    )


def periods_of(moment: pd.Series) -> dict[str, pd.Series]:
    """The first day of the week (Monday) and of the month of each moment."""
    day = moment.dt.normalize()
    return {
        "week": day - pd.to_timedelta(day.dt.day_of_week, unit="D"),
        "month": day.dt.to_period("M").dt.start_time,
    }


def windows_of(moment: pd.Series) -> dict[str, pd.Series]:
    """The first day of the four weeks of each moment, of those that share no week."""
    days = (moment.dt.normalize() - FIRST_MONDAY).dt.days
    return {"four_weeks": FIRST_MONDAY + pd.to_timedelta(days // 28 * 28, unit="D")}


def dimensions(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The groups of decisions, or of audits of them, by dimension."""
    human, automation = (rows["decided_by_type"] == kind for kind in ("human", "automation"))
    queue, by = rows["queue_id"].fillna("unknown"), rows["decided_by_type"].fillna("unknown")

    def of_people(name: str) -> pd.Series:
        missing = pd.Series(np.where(human, "unknown", "not_applicable"), index=rows.index)
        return rows[name].where(rows[name].notna(), missing)

    labels = [f"{low:.2f} to {min(high, 1):.2f}" for low, high in pairwise(BANDS)]
    band = pd.cut(rows["confidence"], BANDS, right=False, labels=labels).astype(object)
    return {
        "overall": pd.Series("all", index=rows.index),
        "queue": queue,
        "policy": rows["primary_policy_id"].fillna("no_policy"),
        "policy_parent": rows["policy_parent"].fillna("no_policy"),
        "site": of_people("site"),
        "vendor": of_people("vendor"),
        "team": of_people("team_id"),
        "language": rows["language"].fillna("unknown"),
        "region": rows["region"].fillna("unknown"),
        "item_type": rows["item_type"].fillna("unknown"),
        "decided_by": by,
        "queue_and_decider": queue + " | " + by,
        "model_version": rows["model_version"]
        .fillna("unknown")
        .where(automation, "not_applicable"),
        "confidence": band.fillna("unknown").where(automation, "not_applicable"),
    }


def estimates(
    sample: Sample, audits: pd.DataFrame, groups: pd.Series, kept: pd.Series, at_stake: pd.Series
) -> pd.DataFrame:
    """The ratio of two weighted sums in every group, and its standard error, by samplics.

    Args:
        sample: the world that the audits are of.
        audits: all audits of the strata concerned.
        groups: the group of each; null for those of none.
        kept: its numerator.
        at_stake: its denominator.

    Returns:
        By group: estimate and standard_error, which is null where a plan has one audit.
    """
    needed = ["is_certain", "pool", "n_audits", "population_size"]
    strata = sample.strata[needed].loc[sorted(audits["stratum"].unique())]
    alone = strata[~strata["is_certain"]].groupby("pool")["n_audits"].transform("sum") == 1
    unknown = set(alone.index[alone])
    sizes = strata.groupby("pool")[["n_audits", "population_size"]].sum()
    pool = audits["stratum"].map(strata["pool"])
    inside = groups.notna()
    estimator = TaylorEstimator(PopParam.ratio)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what is in no group: 0 / 0
        estimator.estimate(
            # samplics divides by the estimate: a ratio plus one is never 0, and errs by as much.
            y=((kept + at_stake) * inside).to_numpy(float),
            x=(at_stake * inside).to_numpy(float),
            samp_weight=audits["weight"].to_numpy(float),
            stratum=pool.to_numpy(),
            psu=np.arange(len(audits)),
            domain=groups.fillna("no group").to_numpy(str),
            fpc=(1 - sizes["n_audits"] / sizes["population_size"]).to_dict(),
            # What still has one audit has one decision: it is certain, and adds nothing.
            single_psu=SinglePSUEst.skip,
        )
    found = pd.DataFrame(
        {
            "estimate": pd.Series(estimator.point_est) - 1,
            "standard_error": pd.Series(estimator.stderror),
        }
    ).drop(index="no group", errors="ignore")
    bad = groups[inside & audits["stratum"].isin(unknown) & (at_stake > 0)]
    found.loc[found.index.isin(bad), "standard_error"] = np.nan
    return found


class Tables:
    """Sums over audits by group and stratum, as matrices."""

    def __init__(self, sample: Sample, audits: pd.DataFrame, groups: pd.Series) -> None:
        """Take the audits of the groups."""
        self.inside = groups.notna()
        self.row, self.groups = pd.factorize(groups[self.inside], sort=True)
        self.column, strata = pd.factorize(audits.loc[self.inside, "stratum"])
        self.strata = sample.strata.loc[strata]
        self.weight = self.strata["weight"].to_numpy(float)
        audited = sample.strata[sample.strata["n_audits"] > 0].groupby("pool")
        self.pools = audited.agg({"n_audits": "sum", "population_size": "sum", "is_certain": "min"})

    def __call__(self, values: pd.Series) -> np.ndarray:
        """Sum values by group (down) and stratum (across)."""
        table = np.zeros((len(self.groups), len(self.strata)))
        np.add.at(table, (self.row, self.column), values[self.inside].to_numpy(float))
        return table


def intervals(
    sample: Sample, audits: pd.DataFrame, groups: pd.Series, terms: Terms
) -> pd.DataFrame:
    """Effective n and interval of every group: INTERVAL, and whether all its strata are whole."""
    table = Tables(sample, audits, groups)
    kept, at_stake = table(terms.kept), table(terms.at_stake)
    n = table(terms.counted if terms.base is None else terms.base)
    weight, somewhere = np.broadcast_to(table.weight, n.shape), n > 0
    decisions = (weight * n).sum(axis=1, keepdims=True)
    size = np.where(somewhere, n, 1)
    share = weight * n / decisions
    unsure = inverse_n(weight * size, size)
    # A stratum without an audit of the group is as good as not there.
    part = np.where(somewhere, 1 - n / table.strata["n_audits"].to_numpy(float), 0)
    found = pd.DataFrame({"n_base_audits": n.sum(axis=1)}, index=table.groups)
    found["share_in_sight"] = np.nan
    found["is_census"] = ~(somewhere & (unsure > 0)).any(axis=1)
    is_amount = terms.base is None and not terms.at_stake.equals(terms.counted)
    if is_amount:
        variance, stakes = _amounts(table, terms, n)
        inverse = stakes / (weight * at_stake).sum(axis=1) ** 2
    else:
        inverse = (share**2 * unsure).sum(axis=1)
    found["effective_n"] = np.where(
        inverse > 0, 1 / np.where(inverse > 0, inverse, 1), decisions[:, 0]
    )
    if terms.base is not None:
        lost = at_stake - kept
        sides = [stratified_wilson(share, weight, size, side, part=part) for side in (kept, lost)]
        totals = [(share * side / size).sum(axis=1) for side in (kept, lost)]
        off = [
            side / size - total[:, None] for side, total in zip((kept, lost), totals, strict=True)
        ]
        scale = share**2 * (1 - np.minimum(1 / weight, 1)) / size

        def covariance(one: int, other: int) -> np.ndarray:
            mine, theirs = ((kept, lost)[which] / size for which in (one, other))
            inner = (mine if one == other else 0) - mine * theirs + part * off[one] * off[other]
            return (scale * inner).sum(axis=1)

        spread = np.sqrt(covariance(0, 0) * covariance(1, 1))
        correlation = np.divide(
            covariance(0, 1), spread, out=np.zeros_like(spread), where=spread > 0
        ).clip(-1, 1)
        bounds = [
            ratio_of_shares(
                totals[0][i], totals[1][i],
                (sides[0][0][i], sides[0][1][i]), (sides[1][0][i], sides[1][1][i]), correlation[i],
            )
            if totals[0][i] + totals[1][i] > 0 else (np.nan, np.nan)
            for i in range(len(found))
        ]  # fmt: skip
        found["ci_low"], found["ci_high"] = np.array(bounds).T
        safe = table(terms.cannot_err)
        others = (weight * (n - safe)).sum(axis=1)
        unseen = (weight * (weight - 1) * (n - safe)).sum(axis=1)
        mean = np.divide(unseen, others, out=np.zeros_like(unseen), where=others > 0)
        safe = (weight * safe).sum(axis=1)
        within = safe + Z**2 * mean
        found["share_in_sight"] = np.divide(
            safe, within, out=np.full_like(safe, np.nan), where=within > 0
        )
    elif is_amount:
        p = (weight * kept).sum(axis=1) / (weight * at_stake).sum(axis=1)
        known = np.minimum(
            np.divide(p * (1 - p), variance, out=np.full_like(p, np.inf), where=variance > 0),
            found["effective_n"],
        )
        found["ci_low"] = [1 - upper_bound(1 - a, b) for a, b in zip(p, known, strict=True)]
        found["ci_high"] = [upper_bound(a, b) for a, b in zip(p, known, strict=True)]
    else:
        found["ci_low"], found["ci_high"] = stratified_wilson(share, weight, size, kept, part=part)
    return found


def _amounts(table: Tables, terms: Terms, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of points and views: the variance drawn toward the group's rate, and Σ w² stake² / n*."""
    kept, stake = table(terms.kept), table(terms.at_stake)
    lost = terms.at_stake - terms.kept
    kept_kept, lost_lost = table(terms.kept**2), table(lost**2)
    kept_lost = table(terms.kept * lost)
    weight, strata, size = table.weight, table.strata, np.where(n > 0, n, 1)
    total = (weight * stake).sum(axis=1, keepdims=True)
    p = (weight * kept).sum(axis=1, keepdims=True) / total
    of_one = weight / total
    u = of_one * (kept * (1 - p) - (stake - kept) * p)
    uu = of_one**2 * (kept_kept * (1 - p) ** 2 - 2 * kept_lost * p * (1 - p) + lost_lost * p**2)
    uu += PSEUDO_AUDITS * (of_one * stake / size) ** 2 * p * (1 - p)
    drawn = n / (n + PSEUDO_AUDITS)
    pools = strata["pool"].to_numpy()
    variance = np.zeros(len(u))
    for pool in np.unique(pools):
        audits, population, is_certain = table.pools.loc[pool]
        if is_certain:
            continue
        here = pools == pool
        squares = (drawn * uu)[:, here].sum(axis=1)
        left = squares - (drawn * u)[:, here].sum(axis=1) ** 2 / audits
        factor = np.nan if audits == 1 else (1 - audits / population) * audits / (audits - 1)
        touched = n[:, here].sum(axis=1) > 0
        variance += np.where(touched, factor * np.where(left > 1e-12 * squares, left, 0), 0)
    stakes = kept_kept + 2 * kept_lost + lost_lost
    unsure = inverse_n(weight * size, size) * size
    return variance, (weight**2 * stakes * unsure).sum(axis=1)


def rates(sample: Sample, audits: pd.DataFrame, groups: pd.Series, terms: Terms) -> pd.DataFrame:
    """Estimates with their counts, by group: those of RATE. A group of no audits has no row."""
    kept, at_stake, counted = terms.kept, terms.at_stake, terms.counted
    base = counted if terms.base is None else terms.base
    at, weight = groups.notna() & (base > 0), audits["weight"]
    within = groups.where(at)
    if not at.any():
        return pd.DataFrame()
    found = pd.DataFrame(
        {
            "n": counted[at].groupby(groups[at]).sum(),
            "n_successes": kept[at].groupby(groups[at]).sum(),
            "weighted_denominator": (weight * at_stake)[at].groupby(groups[at]).sum(),
        }
    ).join(intervals(sample, audits, within, terms))
    staked = found.index[found["weighted_denominator"] > 0]
    unstaked = ~found.index.isin(staked)
    found.loc[unstaked, ["effective_n", "ci_low", "ci_high"]] = np.nan
    within = groups.where(groups.isin(staked))
    found = found.join(estimates(sample, audits, within, kept, at_stake))
    # Audits that are all alike show no variance, but those of all decisions have none.
    unseen = (found["standard_error"] < 1e-9) & ~found.pop("is_census")
    found.loc[unseen, "standard_error"] = np.nan
    return found


def by_period(
    sample: Sample, periods: Periods = periods_of
) -> Iterator[tuple[str, pd.Timestamp, pd.DataFrame, pd.Series]]:
    """Each period with the audits of all strata that it touches, and which of them are its own.

    A stratum that stands for the variance of others brings these: they may have no audit in the
    period, and count all the same for how many were drawn.
    """
    framed = sample.audits[sample.audits["stratum"] >= 0]
    pools = framed["stratum"].map(sample.strata["pool"])
    for period_type, starts in periods(framed["decided_at"]).items():
        for start in sorted(starts.unique()):
            audits = framed[pools.isin(pools[starts == start])]
            yield period_type, start, audits, starts[audits.index] == start


def population(sample: Sample, periods: Periods = periods_of) -> pd.DataFrame:
    """Decisions of every period and dimension value: eligible, covered, pending, enforced.

    A decision is covered where an audit of its group was made in its stratum. One without a stratum
    is pending where it came within the length of a frame after the last one. Of those covered the
    part is unjudged that, of the audits of their group and stratum, does not say what was right.
    """
    decisions, counted = sample.decisions, sample.audits[sample.audits["stratum"] >= 0]
    eligible, enforced = decisions["is_eligible"], decisions["has_enforced"]
    last = sample.strata["period_end"].max()
    ending = sample.strata[sample.strata["period_end"] == last]
    until = last + (last - ending["period_start"].min())
    day = decisions["decided_at"].dt.normalize()
    pending = eligible & (decisions["stratum"] < 0) & (day >= last) & (day < until)
    counts = pd.DataFrame(
        {
            "n_decisions": 1,
            "n_eligible_decisions": eligible * 1,
            "n_pending_decisions": pending * 1,
            "n_eligible_enforced_decisions": (eligible & enforced) * 1,
            "n_pending_enforced_decisions": (pending & enforced) * 1,
        },
        index=decisions.index,
    )
    decided_on, audited_in = (periods(at["decided_at"]) for at in (decisions, counted))
    of_decisions, of_audits = dimensions(decisions), dimensions(counted)
    # A stratum of the plan is one in all weeks of a month.
    of_plan = sample.strata.groupby(["plan_id", "stratum_id"]).ngroup()
    decided_in, counted_in = (at["stratum"].map(of_plan).fillna(-1) for at in (decisions, counted))
    blanks = sample.blanks[sample.blanks["stratum"] >= 0]
    blank_in, of_blanks = periods(blanks["decided_at"]), dimensions(blanks)
    misframed = decisions["stratum"].map(~is_frame_held(sample)).eq(True)
    parts = []
    for period_type, starts in decided_on.items():
        for name, value in of_decisions.items():
            keys = [starts.rename("period_starts_on"), value.rename("dimension_value")]
            cell = pd.MultiIndex.from_arrays([starts, value, decided_in])
            audited = pd.MultiIndex.from_arrays(
                [audited_in[period_type], of_audits[name], counted_in]
            )
            blank = pd.MultiIndex.from_arrays(
                [blank_in[period_type], of_blanks[name], blanks["stratum"].map(of_plan)]
            )
            n_blank, n_judged = (
                pd.Series(1, at).groupby(level=[0, 1, 2]).sum() for at in (blank, audited)
            )
            blank_share = (n_blank / n_blank.add(n_judged, fill_value=0)).dropna()
            of_enforced = audited[counted["n_enforced"].to_numpy() > 0]
            # Of a decision in a frame, a stratum says that it is eligible.
            covered = {
                "n_covered_decisions": cell.isin(audited) * 1,
                "n_misframed_decisions": (cell.isin(audited) & misframed) * 1,
                "n_unjudged_decisions": cell.isin(audited)
                * blank_share.reindex(cell).fillna(0).to_numpy(),
                "n_covered_enforced_decisions": (cell.isin(of_enforced) & enforced) * 1,
            }
            part = counts.assign(**covered).groupby(keys).sum().reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    found = pd.concat(parts, ignore_index=True)
    for of in ("", "enforced_"):
        due = found[f"n_eligible_{of}decisions"] - found[f"n_pending_{of}decisions"]
        found[f"{of}coverage_rate"] = found[f"n_covered_{of}decisions"] / due.where(due > 0)
    due = found["n_eligible_decisions"] - found["n_pending_decisions"]
    for of in ("misframed", "unjudged"):
        found[f"{of}_rate"] = (found[f"n_{of}_decisions"] / due.where(due > 0)).fillna(0)
    return found


def is_frame_held(sample: Sample) -> pd.Series:
    """Whether a stratum has as many eligible decisions as its frame says, but one in a hundred."""
    sizes = sample.strata["population_size"]
    n_decisions = sample.decisions["stratum"].value_counts().reindex(sizes.index, fill_value=0)
    return (n_decisions - sizes).abs() <= (0.01 * sizes).clip(lower=1)


def flags(sample: Sample, periods: Periods = periods_of) -> pd.DataFrame:
    """Of what a metric asks about the audits of each group: n_asked, and n_unknown of them."""
    audits = sample.audits
    parts = []
    for period_type, starts in periods(audits["decided_at"]).items():
        for name, value in dimensions(audits).items():
            for metric, (known, about) in FLAGS.items():
                asked = 1.0 if about == "audits" else 1.0 - audits["n_correct"]
                counted = pd.DataFrame({"n_asked": asked, "n_unknown": 1.0 - audits[known]})
                keys = [starts.rename("period_starts_on"), value.rename("dimension_value")]
                part = counted.groupby(keys).sum().reset_index()
                parts.append(
                    part.assign(metric_id=metric, period_type=period_type, dimension_name=name)
                )
    return pd.concat(parts, ignore_index=True)


def has_unaudited_kind(counts: pd.DataFrame) -> pd.Series:
    """Whether of what enforced, or of what did not, nothing is in an audited stratum."""
    enforced = counts["n_eligible_enforced_decisions"]
    covered = counts["n_covered_enforced_decisions"]
    return ((enforced > 0) & (covered == 0)) | (
        (counts["n_eligible_decisions"] > enforced) & (counts["n_covered_decisions"] == covered)
    )


def accuracy_rates(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Every metric of accuracy by week, month and four weeks, in every dimension."""
    return pd.concat(
        [rates_by(sample, raw, periods) for periods in (periods_of, windows_of)], ignore_index=True
    )


def rates_by(sample: Sample, raw: RawTables, periods: Periods) -> pd.DataFrame:
    """Every metric of accuracy by some periods, in every dimension."""
    counts = population(sample, periods)
    counts["is_withheld"] = has_unaudited_kind(counts)
    key = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
    parts = []
    for period_type, start, audits, own in by_period(sample, periods):
        for name, value in dimensions(audits).items():
            for metric in METRICS:
                found = rates(sample, audits, value.where(own), terms_of(metric, audits))
                parts.append(
                    found.rename_axis("dimension_value").reset_index().assign(
                        metric_id=metric, period_type=period_type, period_starts_on=start,
                        dimension_name=name,
                    )
                )  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    whole = counts.merge(pd.DataFrame({"metric_id": list(METRICS)}), how="cross")
    whole = whole.merge(found, on=["metric_id", *key], how="left")
    of_truth = whole["metric_id"].map(lambda metric: METRICS[metric][1] in OF_THE_TRUTH)
    # By the policy decided everything enforced, or nothing did: such rates say nothing.
    by_policy = whole["dimension_name"].isin(["policy", "policy_parent"])
    is_miss = whole["metric_id"].isin(["false_negative_share", "false_negative_harm"])
    told = by_policy & (of_truth | (is_miss & (whole["dimension_value"] != "no_policy")))
    whole = whole.merge(flags(sample, periods), on=["metric_id", *key], how="left")
    has_no_flag = (whole["n_asked"] > 0) & (whole["n_unknown"] == whole["n_asked"])
    withheld = told | (of_truth & whole["is_withheld"]) | has_no_flag
    whole.loc[withheld, ["estimate", "standard_error", "effective_n", "ci_low", "ci_high"]] = np.nan
    whole["n"] = whole["n"].fillna(0)
    whole["n_successes"] = whole["n_successes"].fillna(0)
    of_audits = whole["metric_id"].map(lambda metric: METRICS[metric][1] == METRICS[metric][2])
    whole.loc[~of_audits, "n_successes"] = np.nan
    is_few = codes_of(whole, raw.suppressed("accuracy")).notna()
    whole.loc[is_few, RATE] = np.nan
    whole["is_hidden"] = is_few & whole["dimension_name"].isin(OF_PEOPLE)
    of_enforced = whole["metric_id"].map(lambda metric: METRICS[metric][1] == "n_enforced")
    whole["coverage_rate"] = whole["coverage_rate"].mask(
        of_enforced, whole["enforced_coverage_rate"]
    )
    whole["is_reportable"] = is_reportable(whole).astype(object)
    whole = whole.merge(n_people(sample, periods), on=key, how="left")
    whole["n_people"] = whole["n_people"].fillna(0)
    counted = [
        "n_decisions", "n_eligible_decisions", "n_covered_decisions", "n_pending_decisions",
        "n_people",
    ]  # fmt: skip
    whole[counted] = whole[counted].astype(float)
    whole = whole.merge(targets(sample, raw, periods), on=key, how="left")
    whole.loc[whole["metric_id"] != "accuracy", "target_at_decision"] = np.nan
    shown = [*counted, "coverage_rate", "misframed_rate", "unjudged_rate", "target_at_decision"]
    whole.loc[whole["is_hidden"], shown] = np.nan
    whole[["metric_id", "version"]] = whole["metric_id"].str.extract(r"(.+?)(?:_v(\d+))?$")
    whole["metric_version"] = whole["version"].fillna("1").astype(int)
    return whole[["metric_id", "metric_version", *key, *shown, "is_reportable", *RATE]]


def n_people(sample: Sample, periods: Periods = periods_of) -> pd.DataFrame:
    """How many people decided what was audited; who has no name is one."""
    audits = sample.audits[(sample.audits["stratum"] >= 0)]
    audits = audits[audits["decided_by_type"] == "human"]
    person = audits["moderator_id"].fillna("unknown")
    parts = []
    for period_type, starts in periods(audits["decided_at"]).items():
        for name, value in dimensions(audits).items():
            by = [starts.rename("period_starts_on"), value.rename("dimension_value")]
            part = person.groupby(by).nunique().rename("n_people").reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    return pd.concat(parts, ignore_index=True)


def targets(sample: Sample, raw: RawTables, periods: Periods) -> pd.DataFrame:
    """The mean target of the queues of eligible decisions, where nearly all of them have one."""
    queues = raw.latest("queues", ["queue_id", "valid_from"], ["target_accuracy", "valid_to"])
    decisions = sample.decisions[sample.decisions["is_eligible"]]
    in_force = valid_at(decisions, queues, "queue_id", "queue_id", ["target_accuracy"])
    target = pd.to_numeric(in_force["target_accuracy"])
    parts = []
    for period_type, starts in periods(decisions["decided_at"]).items():
        for name, value in dimensions(decisions).items():
            groups = target.groupby(
                [starts.rename("period_starts_on"), value.rename("dimension_value")]
            )
            mean = groups.mean().where(groups.count() >= 0.95 * groups.size())
            part = mean.rename("target_at_decision").reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    return pd.concat(parts, ignore_index=True)


def is_reportable(rates: pd.DataFrame) -> pd.Series:
    """Whether rates can stand alone: by their plan, and not by what was found."""
    return (
        rates["estimate"].notna()
        & (rates["n_base_audits"] >= 30)
        & (rates["effective_n"] >= 30)
        & (rates["coverage_rate"] >= 0.95)
        & ~(rates["share_in_sight"] < 0.7)
        & ~(rates["coverage_rate"] - rates["misframed_rate"] < 0.95)
        & ~(rates["coverage_rate"] - rates["unjudged_rate"] < 0.95)
        & ~(rates["n_unknown"] > 0.2 * rates["n_asked"])
    )


def audited_groups(sample: Sample) -> pd.DataFrame:
    """The groups of each period that have an audit, in a known frame or not."""
    parts = []
    for period_type, starts in periods_of(sample.audits["decided_at"]).items():
        for name, value in dimensions(sample.audits).items():
            keys = pd.DataFrame({"period_starts_on": starts, "dimension_value": value})
            parts.append(
                keys.drop_duplicates().assign(period_type=period_type, dimension_name=name)
            )
    return pd.concat(parts, ignore_index=True)


def few_people(raw: RawTables, groups: pd.DataFrame) -> pd.DataFrame:
    """Of some groups, those that may not be shown."""
    return groups[codes_of(groups, raw.suppressed("accuracy")).notna()]


def labels(audits: pd.DataFrame, policies: pd.DataFrame) -> pd.DataFrame:
    """Under which policies, at any height of the tree, each audit was and should have been.

    Returns one row per audit (its position), policy and version: is_decided, is_true.
    """
    since, until = (pd.to_datetime(policies[name]) for name in ("valid_from", "valid_to"))
    tree = policies.assign(since=since, until=until.fillna(pd.Timestamp("2262-01-01")))

    def in_force(policy: str, moment: pd.Timestamp) -> tuple[str | None, str | None]:
        row = tree[
            (tree["policy_id"] == policy) & (tree["since"] <= moment) & (moment < tree["until"])
        ]
        if not len(row):
            return None, None
        parent = row["parent_policy_id"].iloc[0]
        return row["policy_version"].iloc[0], parent if pd.notna(parent) else None

    rows = []
    for audit in audits[audits["error_class"] != "technical"].itertuples():
        sides = {
            "is_decided": (audit.has_enforced, audit.decided_policy_id),
            "is_true": (audit.is_violating, audit.truth_policy_id),
        }
        for side, (is_under, policy) in sides.items():
            name = (policy if pd.notna(policy) else "no_policy") if is_under else "no_violation"
            while name is not None:
                version, parent = in_force(name, audit.decided_at)
                rows += [(audit.Index, name, v, side) for v in ("all", version) if v is not None]
                name = parent
    found = pd.DataFrame(rows, columns=["audit", "policy_id", "policy_version", "side"])
    by = ["audit", "policy_id", "policy_version"]
    return pd.DataFrame(
        {
            side: (found["side"] == side).groupby([found[name] for name in by]).any()
            for side in ("is_decided", "is_true")
        }
    ).reset_index()


def is_in_force(policies: pd.DataFrame, policy: str, version: str, moment: pd.Series) -> pd.Series:
    """Which moments are in the days of a policy's version; all are, of all versions together."""
    if version == "all":
        return pd.Series(True, index=moment.index)
    own = policies[(policies["policy_id"] == policy) & (policies["policy_version"] == version)]
    days = pd.Series(False, index=moment.index)
    for since, until in zip(own["valid_from"], own["valid_to"], strict=True):
        days |= (moment >= since) & ((moment < until) | pd.isna(until))
    return days


def policy_rates(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Precision, recall and the like of every policy and version, by week and month."""
    policies = raw.latest("policies", ["policy_id", "policy_version"],
                          ["parent_policy_id", "valid_from", "valid_to"])  # fmt: skip
    labelled = labels(sample.audits, policies)
    counts = population(sample)
    counts = counts[counts["dimension_name"] == "overall"]
    withheld = has_unaudited_kind(counts).set_axis(
        pd.MultiIndex.from_frame(counts[["period_type", "period_starts_on"]])
    )
    parts = []
    for period_type, start, audits, own in by_period(sample):
        judged = audits["error_class"] != "technical"
        group = pd.Series("all", index=audits.index).where(own & judged)
        here = labelled[labelled["audit"].isin(group.dropna().index)]
        for (policy, version), part in here.groupby(["policy_id", "policy_version"]):
            decided, true = (
                audits.index.isin(part.loc[part[side], "audit"])
                for side in ("is_decided", "is_true")
            )
            decided, true = (pd.Series(s, index=audits.index) for s in (decided, true))
            not_true = ~true & is_in_force(policies, policy, version, audits["decided_at"])
            terms = {
                "precision": (decided & true, decided),
                "recall": (decided & true, true),
                "policy_false_positive_rate": (decided & ~true, not_true),
                "policy_false_negative_rate": (true & ~decided, true),
                "policy_false_discovery_rate": (decided & ~true, decided),
            }
            for metric, (kept, at_stake) in terms.items():
                terms = Terms(kept * 1.0, at_stake * 1.0, at_stake * 1.0)
                asked = group
                if at_stake is not decided:
                    in_force = is_in_force(policies, policy, version, audits["decided_at"])
                    asked = group.where(in_force | at_stake)
                    cannot_err = decided if at_stake is true else ~decided
                    terms = replace(terms, base=asked.notna() * 1.0, cannot_err=cannot_err * 1.0)
                found = rates(sample, audits, asked, terms)
                row = found.iloc[0].to_dict() if len(found) else {"n": 0, "n_successes": 0}
                if (
                    "precision" != metric != "policy_false_discovery_rate"
                    and withheld[period_type, start]
                ):
                    row |= dict.fromkeys(
                        ("estimate", "standard_error", "effective_n", "share_in_sight"), np.nan
                    ) | {"ci_low": np.nan, "ci_high": np.nan}
                parts.append(
                    row | {
                        "metric_id": metric, "period_type": period_type, "period_starts_on": start,
                        "policy_id": policy, "policy_version": version,
                    }
                )  # fmt: skip
    key = ["metric_id", "period_type", "period_starts_on", "policy_id", "policy_version"]
    found = pd.DataFrame(parts, columns=[*key, *RATE])
    of_policies = raw.suppressed("accuracy")
    of_policies = of_policies[of_policies["dimension_name"].isin(["policy", "policy_parent"])]
    where = ["period_type", "period_starts_on", "dimension_value"]
    is_suppressed = pd.MultiIndex.from_frame(found[key[1:4]]).isin(
        pd.MultiIndex.from_frame(of_policies[where])
    )
    found.loc[is_suppressed, RATE] = np.nan
    return found


def overturned(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Decisions that a person later replaced by something else."""
    decisions = sample.decisions
    is_recorded = decisions["supersedes_decision_id"].notna().any()
    is_decision = ~decisions["action_code"].isin(["skip", "escalate", "auto_close", "uphold"])
    later = decisions[(decisions["decided_by_type"] == "human") & is_decision].dropna(
        subset="supersedes_decision_id"
    )
    later = later[["supersedes_decision_id", "action_code", "primary_policy_id"]]
    both = decisions.reset_index(names="row").merge(
        later, left_on="decision_id", right_on="supersedes_decision_id", suffixes=("", "_later")
    )
    other = (both["action_code"] != both["action_code_later"]) | (
        both["primary_policy_id"].fillna("") != both["primary_policy_id_later"].fillna("")
    )
    is_overturned = decisions.index.isin(both.loc[other, "row"]) & decisions["is_eligible"]
    counts = pd.DataFrame(
        {
            "n_eligible_decisions": decisions["is_eligible"] * 1,
            "n_eligible_enforced_decisions": (decisions["is_eligible"] & decisions["has_enforced"])
            * 1,
            "n_overturned_decisions": is_overturned * 1,
            "n_overturned_enforcements": (is_overturned & decisions["has_enforced"]) * 1,
        }
    )
    parts = []
    for period_type, starts in periods_of(decisions["decided_at"]).items():
        for name, value in dimensions(decisions).items():
            keys = [starts.rename("period_starts_on"), value.rename("dimension_value")]
            part = counts.groupby(keys).sum().reset_index()
            parts.append(part.assign(period_type=period_type, dimension_name=name))
    found = pd.concat(parts, ignore_index=True)
    counted = ["n_overturned_decisions", "n_overturned_enforcements"]
    found = found.astype(dict.fromkeys(counted, float))
    if not is_recorded:
        found[counted] = np.nan
    key = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
    few = few_people(raw, found.loc[found["n_eligible_decisions"] > 0, key])
    found.loc[few.index, counted] = np.nan
    of = ["n_eligible_decisions", "n_eligible_enforced_decisions"]
    found[of] = found[of].astype(float)
    found.loc[found.index.isin(few.index) & found["dimension_name"].isin(OF_PEOPLE), of] = np.nan
    for rate, (count, of) in {
        "overturned_rate": (counted[0], "n_eligible_decisions"),
        "enforcement_overturned_rate": (counted[1], "n_eligible_enforced_decisions"),
    }.items():
        found[rate] = found[count] / found[of].replace(0, np.nan)
    return found
