"""How accurate people are, how groups of them compare, and the next audit plan, recomputed.

Estimates and standard errors are samplics' (Taylor linearisation), the variance between people
statsmodels' (DerSimonian and Laird), probabilities scipy's, and an allocation of audits is found by
scipy's root finder. The variables are those of dbt_project.yml as it is delivered.
"""

import hmac
import math
import warnings

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from .disclosure import MIN_PEOPLE, codes_of
from .intervals import inverse_n, stratified_wilson
from .raw_tables import RawTables
from .sample import Sample, read_sample, valid_at

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst

PSEUDONYM_KEY = "sample-data-only"
WINDOW_DAYS, MATURITY_DAYS = 90, 35
MIN_AUDITS, MIN_EFFECTIVE_N, MIN_TO_RANK = 30, 30, 100
MIN_PEERS, MIN_COMPARABLE = 5, 0.8
HALF_WIDTH, MIN_PER_STRATUM, HISTORY, MORE = 0.02, 5, 8, (100, 250, 500, 1000)
Z = stats.norm.ppf(0.975)
PERIOD = ["period_type", "period_starts_on"]
GROUP = ["dimension_name", "dimension_value"]
# What int_context__as_of takes the latest recorded_at of.
DATED = [
    "decisions", "review_jobs", "audits", "disputes", "sampling_frame", "policies", "queues",
    "roster", "audit_scores", "golden_results", "calibration_ratings",
]  # fmt: skip


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the marts of people and of planning.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    sample = read_sample(raw)
    as_of = max(
        pd.to_datetime(raw.rows(table, ["recorded_at"])["recorded_at"]).max()
        for table in DATED
        if len(raw.rows(table, ["recorded_at"]))
    )
    found: dict[str, pd.DataFrame] = {}
    if len(sample.audits):
        people = audits_of_people(raw, sample, as_of)
        found["restricted.moderator_accuracy"] = moderators(raw, sample, people, as_of)
        shown, compared = comparisons(sample, people, raw.suppressed("accuracy"))
        found["explain.standardisation_cells"] = shown
        found["explain.accuracy_compared"] = compared
    found |= plans(sample, as_of)
    found["planning.plan_coverage"] = coverage(sample, as_of)
    # As objects: a true and a false are compared as texts, not subtracted.
    return {
        name: rows.astype(dict.fromkeys(rows.select_dtypes("bool"), object))
        for name, rows in found.items()
    }


def pseudonym(person: str | None) -> str | None:
    """Give the pseudonym that the sample key makes of a person's id."""
    if person is None or pd.isna(person):
        return None
    return hmac.digest(PSEUDONYM_KEY.encode(), person.encode(), "sha256").hex()[:16]


def periods_of(days: pd.Series, as_of: pd.Timestamp) -> pd.DataFrame:
    """Every period that a day is in: one row per row of days and period, by the index of days."""
    month = days.dt.to_period("M")
    by_month = pd.DataFrame(
        {
            "period_type": "month",
            "period_starts_on": month.dt.start_time,
            "period_ends_on": month.dt.end_time.dt.normalize(),
        },
        index=days.index,
    )
    last = as_of.normalize()
    first = last - pd.Timedelta(days=WINDOW_DAYS - 1)
    recent = days[(days >= first) & (days <= last)]
    trailing = pd.DataFrame(
        {"period_type": "trailing", "period_starts_on": first, "period_ends_on": last},
        index=recent.index,
    )
    return pd.concat([by_month, trailing])


def audits_of_people(raw: RawTables, sample: Sample, as_of: pd.Timestamp) -> pd.DataFrame:
    """Audits that count, of decisions by people: one row per audit and period."""
    audits = sample.audits[sample.audits["stratum"] >= 0].copy()
    audits = audits[(audits["decided_by_type"] == "human") & audits["moderator_id"].notna()]
    queues = raw.latest("queues", ["queue_id", "valid_from"], ["target_accuracy", "valid_to"])
    target = valid_at(audits, queues, "queue_id", "queue_id", ["target_accuracy"])
    days = pd.to_datetime(audits["decided_at"]).dt.normalize()
    tenure = (days - pd.to_datetime(audits["hired_on"])).dt.days
    audits = audits.assign(
        moderator_key=audits["moderator_id"].map(pseudonym),
        target=pd.to_numeric(target["target_accuracy"]),
        queue_id=audits["queue_id"].fillna("unknown"),
        tenure_band=tenure.map(tenure_band),
        is_technical=audits["error_class"] == "technical",
        y=(audits["error_class"] == "correct").astype(float),
        audit_row=audits.index,
        **{name: audits[name].fillna("unknown") for name in ("team_id", "site", "vendor")},
    )
    return audits.join(periods_of(days, as_of)).reset_index(drop=True)


def tenure_band(days: float) -> str:
    """Name the band of a tenure."""
    if pd.isna(days) or days < 0:
        return "unknown"
    bands = {30: "000-030", 90: "031-090", 180: "091-180", 365: "181-365"}
    for last, name in bands.items():
        if days <= last:
            return f"{name} days"
    return "366 days and more"


class Design:
    """A sampling design, for estimates in parts of the sample."""

    def __init__(self, sample: Sample) -> None:
        """Take the counted audits and their strata."""
        self.strata = sample.strata
        self.counted = sample.audits[sample.audits["stratum"] >= 0]
        self.pool = self.counted["stratum"].map(self.strata["pool"])
        open_ones = self.strata[(self.strata["n_audits"] > 0)]
        self.pools = open_ones.groupby("pool").agg(
            n=("n_audits", "sum"), size=("population_size", "sum"), certain=("is_certain", "min")
        )
        self.unknown = set(self.pools.index[(self.pools["n"] == 1) & ~self.pools["certain"]])

    def standard_error(self, z: pd.Series) -> float:
        """Give samplics' standard error of the weighted total of z, null where not to be had.

        Args:
            z: values of audits by their index in the sample; what is not named is 0.
        """
        touched = self.pool[z.index].unique()
        if self.unknown & set(touched):
            return math.nan
        inside = self.counted[self.pool.isin(touched)]
        pool = self.pool[inside.index]
        pools = self.pools.loc[np.sort(touched)]
        estimator = TaylorEstimator(PopParam.total)
        # samplics divides by the total, which is 0 here: every audit gets the same on top, which
        # moves the total to 1 and no audit against another.
        on_top = 1 / (len(inside) * inside["weight"])
        estimator.estimate(
            y=(z.reindex(inside.index, fill_value=0) + on_top).to_numpy(float),
            samp_weight=inside["weight"].to_numpy(float),
            stratum=pool.to_numpy(),
            psu=np.arange(len(inside)),
            fpc=(1 - pools["n"] / pools["size"]).to_dict(),
            single_psu=SinglePSUEst.skip,
        )
        return float(np.atleast_1d(estimator.stderror)[0])

    def rate(self, audits: pd.DataFrame, mix: pd.Series | None = None) -> dict[str, float]:
        """Estimate a rate of some audits, as it is or in a given mix of cells.

        Args:
            audits: audit_row, stratum, weight, y and, with a mix, cell.
            mix: the share of each cell; null: the audits as they are.
        """
        cell = audits["cell"] if mix is not None else pd.Series("all", index=audits.index)
        share = pd.Series({"all": 1.0}) if mix is None else mix[sorted(cell.unique())]
        comparable = share.sum()
        cell_weight = audits["weight"].groupby(cell).transform("sum")
        u_weight = cell.map(share) / comparable * audits["weight"] / cell_weight
        cell_rate = (audits["weight"] * audits["y"]).groupby(cell).transform("sum") / cell_weight
        n, p = len(audits), float((u_weight * audits["y"]).sum())
        z = u_weight / audits["weight"] * (audits["y"] - cell_rate)
        rows = (
            audits.assign(cell=cell, u_weight=u_weight, cell_rate=cell_rate)
            .groupby(["stratum", "cell"])
            .agg(
                n=("y", "size"),
                k=("y", "sum"),
                u_weight=("u_weight", "first"),
                cell_rate=("cell_rate", "first"),
            )
            .reset_index()
        )
        weight = rows["stratum"].map(self.strata["weight"]).to_numpy(float)
        own, found = rows["n"].to_numpy(float), rows["k"].to_numpy(float)
        part = 1 - own / rows["stratum"].map(self.strata["n_audits"]).to_numpy(float)
        stratum_share = (rows["u_weight"] * rows["n"]).to_numpy()
        # The mix says how large a cell is.
        alone = rows.groupby("cell")["cell"].transform("size").to_numpy() == 1
        low, high = stratified_wilson(
            stratum_share,
            weight,
            own,
            found,
            part=np.where(alone & (mix is not None), 0, part),
            centre=rows["cell_rate"].to_numpy(),
            is_part=bool((part > 0).any()),
        )
        unsure = (stratum_share**2 * inverse_n(weight * own, own)).sum()
        standard_error = self.standard_error(z.set_axis(audits["audit_row"]))
        return {
            "n": n,
            "n_successes": audits["y"].sum(),
            "n_cells": len(share),
            "comparable_share": comparable,
            "estimate": p,
            "standard_error": standard_error if standard_error > 1e-9 or unsure == 0 else math.nan,
            "effective_n": 1 / unsure if unsure > 0 else (weight * own).sum(),
            "ci_low": float(low),
            "ci_high": float(high),
        }


def drawn_to_peers(rates: pd.DataFrame, column: str) -> pd.DataFrame:
    """Draw the rates of one period's people toward their mean, by the index of rates."""
    known = rates[rates["effective_n"] > 0]
    k, n, p = len(known), known["effective_n"], known[column]
    empty = pd.DataFrame(index=rates.index, dtype=float)
    if k < MIN_PEERS:
        return empty
    mean = np.average(p, weights=n)
    if mean in (0, 1):
        return empty
    v = mean * (1 - mean) / n
    # What it derives from a variance below 0 is not looked at.
    with np.errstate(invalid="ignore"):
        between = max(combine_effects(p.to_numpy(), v.to_numpy(), method_re="chi2").tau2, 0)
    own = between / (between + v)
    spread = 2 / (k - 3) * (v.mean() + between) / (v + between)
    # Morris (1983): drawn by less than it seems, as how far is itself estimated.
    drawn = (1 - own) * (k - 3) / (k - 1)
    variance = v * (1 - (k - 1) / k * drawn) + spread * (drawn * (p - mean)) ** 2
    return pd.DataFrame(
        {
            "n_peers": k,
            "peer_mean": mean,
            "between_variance": between,
            "own_weight": own,
            "eb_estimate": mean + own * (p - mean),
            "eb_standard_error": np.sqrt(variance),
        }
    ).reindex(rates.index)


def moderators(
    raw: RawTables, sample: Sample, people: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """The mart moderator_accuracy."""
    design = Design(sample)
    decisions = sample.decisions
    decisions = decisions[
        decisions["is_eligible"]
        & (decisions["decided_by_type"] == "human")
        & decisions["moderator_id"].notna()
    ]
    covered = decisions["stratum"].map(sample.strata["n_audits"]).fillna(0) > 0
    days = pd.to_datetime(decisions["decided_at"]).dt.normalize()
    placed = decisions[["moderator_id"]].assign(covered=covered).join(periods_of(days, as_of))
    rows = placed.groupby([*PERIOD, "period_ends_on", "moderator_id"], as_index=False).agg(
        n_eligible_decisions=("covered", "size"), n_covered_decisions=("covered", "sum")
    )
    rows["moderator_key"] = rows["moderator_id"].map(pseudonym)
    hired = raw.latest("roster", ["person_id", "valid_from"], ["hired_on"])
    hired = hired[pd.to_datetime(hired["valid_from"]) <= as_of].sort_values("valid_from")
    hired = hired.drop_duplicates("person_id", keep="last").set_index("person_id")["hired_on"]
    last_day = rows["period_ends_on"].clip(upper=as_of.normalize())
    rows["tenure_days"] = (last_day - pd.to_datetime(rows["moderator_id"].map(hired))).dt.days
    rows["tenure_band"] = rows["tenure_days"].map(tenure_band)

    judged = people[~people["is_technical"]]
    parts = []
    for period, here in judged.groupby(PERIOD):
        whole = np.average(here["y"], weights=here["weight"])
        queue_rate = here.groupby("queue_id")[["y", "weight"]].apply(
            lambda part: np.average(part["y"], weights=part["weight"])
        )
        for person, own in here.groupby("moderator_key"):
            expected = np.average(own["queue_id"].map(queue_rate), weights=own["weight"])
            has_target = own["target"].notna()
            found = design.rate(own)
            found["n_correct"] = found.pop("n_successes")
            parts.append(
                dict(zip(PERIOD, period, strict=True))
                | found
                | {
                    "moderator_key": person,
                    "overall_estimate": whole,
                    "expected_estimate": expected,
                    "mix_effect": expected - whole,
                    "standardised_estimate": found["estimate"] - expected + whole,
                    "target_accuracy_at_decision": np.average(own["target"], weights=own["weight"])
                    if has_target.all()
                    else math.nan,
                }
            )
    rates = pd.DataFrame(parts).drop(columns=["n_cells", "comparable_share"])
    scores = []
    for _, here in rates.groupby(PERIOD):
        own = drawn_to_peers(here, "estimate")
        other = drawn_to_peers(here, "standardised_estimate").drop(
            columns=["n_peers", "between_variance", "own_weight"], errors="ignore"
        )
        other = other.rename(
            columns={
                "peer_mean": "peer_mean_standardised",
                "eb_estimate": "eb_standardised_estimate",
                "eb_standard_error": "eb_standardised_standard_error",
            }
        )
        scores.append(pd.concat([own, other], axis=1))
    rates = rates.join(pd.concat(scores))
    rows = rows.merge(rates, on=[*PERIOD, "moderator_key"], how="left")
    technical = people[people["is_technical"]].groupby([*PERIOD, "moderator_key"]).size()
    rows = rows.join(technical.rename("n_technical_audits"), on=[*PERIOD, "moderator_key"])
    counts = ["n", "n_correct", "n_technical_audits"]
    rows[counts] = rows[counts].fillna(0)
    rows["standardised_estimate"] = rows["standardised_estimate"].clip(0, 1)
    for prefix in ("eb", "eb_standardised"):
        for side, sign in (("low", -1), ("high", 1)):
            bound = rows[f"{prefix}_estimate"] + sign * Z * rows[f"{prefix}_standard_error"]
            rows[f"{prefix}_ci_{side}"] = bound.clip(0, 1)
    distance = rows["target_accuracy_at_decision"] - rows["eb_estimate"]
    rows["probability_below_target"] = stats.norm.cdf(distance / rows["eb_standard_error"])
    rows["reason_code"] = np.select(
        [
            rows["n"] == 0,
            rows["n"] < MIN_AUDITS,
            rows["effective_n"] < MIN_EFFECTIVE_N,
            rows["eb_estimate"].isna(),
        ],
        ["no_audits", "too_few_audits", "low_effective_n", "peers_unknown"],
        default="",
    )
    rows["reason_code"] = rows["reason_code"].replace("", None)
    rows["is_ranked"] = rows["reason_code"].isna() & (rows["effective_n"] >= MIN_TO_RANK)
    score = rows["eb_standardised_estimate"].where(rows["is_ranked"])
    rows["accuracy_rank"] = score.groupby([rows[name] for name in PERIOD]).rank(
        method="min", ascending=False
    )
    rows["n_ranked"] = rows.groupby(PERIOD)["is_ranked"].transform("sum")
    rows["metric_id"] = "moderator_accuracy"
    return rows.drop(columns=["moderator_id", "period_ends_on"])


def comparisons(
    sample: Sample, people: pd.DataFrame, suppressed: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The marts standardisation_cells and accuracy_compared."""
    design = Design(sample)
    action = people["has_enforced"].map({True: "enforced", False: "not_enforced"})
    columns = {"team": "team_id", "site": "site", "vendor": "vendor", "tenure_band": "tenure_band"}
    cells_of = {"queue": people["queue_id"], "queue_and_action": people["queue_id"] + " " + action}
    shown, compared = [], []
    for (mix_name, cell), (period, index) in (
        (mix, part)
        for mix in cells_of.items()
        for part in people.groupby([*PERIOD, "period_ends_on"]).groups.items()
    ):
        every = people.loc[index].assign(cell=cell[index])
        here = every[~every["is_technical"]]
        if here.empty:
            continue
        mix = here.groupby("cell")["weight"].sum() / here["weight"].sum()
        reference = _weighted_rate(here, "cell")
        named = dict(zip(PERIOD, period[:2], strict=True)) | {"mix_name": mix_name}
        groups = [("everybody", "all", every)]
        for name, column in columns.items():
            groups += [(name, value, part) for value, part in every.groupby(column)]
        counts = [
            (name, value, part.loc[~part["is_technical"], "moderator_key"].nunique())
            for name, value, part in groups
        ]
        sizes = pd.DataFrame(counts, columns=[*GROUP, "n_people"]).assign(**named)
        codes = codes_of(sizes, suppressed)
        is_small = sizes["n_people"].between(1, MIN_PEOPLE - 1)
        codes = codes.mask(codes.isna() & is_small, "suppressed_small_group")
        is_listed = codes_of(sizes, suppressed).notna().groupby(sizes["dimension_name"]).any()
        for (name, value, part), code in zip(groups, codes, strict=True):
            key = named | {"dimension_name": name, "dimension_value": value}
            own = part[~part["is_technical"]]
            in_cells = here.groupby([columns[name], "cell"] if name in columns else "cell")
            is_few = (in_cells["moderator_key"].nunique() < MIN_PEOPLE).any()
            is_few |= is_listed[name]
            shown += _cells(key, own, mix, reference, bool(is_few))
            if name != "everybody":
                compared.append(key | _compared(design, here, part, code, mix))
    return pd.DataFrame(shown), pd.DataFrame(compared)


def _weighted_rate(audits: pd.DataFrame, by: str) -> pd.Series:
    top = (audits["weight"] * audits["y"]).groupby(audits[by]).sum()
    return top / audits.groupby(by)["weight"].sum()


def _cells(
    key: dict, own: pd.DataFrame, mix: pd.Series, reference: pd.Series, is_withheld: bool
) -> list[dict]:
    rate, size = _weighted_rate(own, "cell"), own.groupby("cell").size()
    share = own.groupby("cell")["weight"].sum() / own["weight"].sum()
    rows = []
    # A group with technical errors alone has nothing to standardise.
    for cell in mix.index if len(own) else []:
        is_empty = cell not in size
        is_open = not is_empty and not is_withheld
        nothing = math.nan if is_withheld else 0
        rows.append(
            key
            | {
                "cell_key": cell,
                "is_empty": is_empty,
                "is_withheld": is_withheld,
                "n_audits": size[cell] if is_open else nothing,
                "mix_share": mix[cell],
                "own_share": share[cell] if is_open else nothing,
                "own_rate": rate[cell] if is_open else math.nan,
                "reference_rate": reference[cell],
            }
        )
    return rows


def _compared(
    design: Design, here: pd.DataFrame, part: pd.DataFrame, code: str | None, mix: pd.Series
) -> dict:
    own = part[~part["is_technical"]]
    reference = _weighted_rate(here, "cell")
    n_people = own["moderator_key"].nunique()
    overall = float((mix * reference).sum())
    row = {"n_people": n_people, "overall_estimate": overall if len(own) else math.nan}
    if pd.notna(code):
        return row | {"reason_code": code}
    row["n_technical_audits"] = int(part["is_technical"].sum())
    if own.empty:
        return row | {"n": 0, "reason_code": "no_audits"}
    raw_rate, found = design.rate(own), design.rate(own, mix)
    empty = sorted(set(mix.index) - set(own["cell"]))
    there = mix.drop(empty)
    expected = float((there * reference[there.index]).sum() / there.sum())
    reasons = {
        "too_few_audits": raw_rate["n"] < MIN_AUDITS,
        "low_effective_n": found["effective_n"] < MIN_EFFECTIVE_N,
        "mix_not_comparable": found["comparable_share"] < MIN_COMPARABLE,
    }
    reason = next((name for name, holds in reasons.items() if holds), None)
    apart = _difference(design, own, here.drop(own.index), mix)
    is_known = apart.pop("is_known", False)
    if reason or not is_known:
        apart["is_apart_from_others"] = None
    return (
        row
        | found
        | apart
        | {
            f"raw_{name}": raw_rate[name]
            for name in ("estimate", "standard_error", "ci_low", "ci_high", "effective_n")
        }
        | {
            "reason_code": reason,
            "n_empty_cells": len(empty),
            "empty_cells": ", ".join(empty) or None,
            "reference_estimate": expected,
            "own_effect": found["estimate"] - expected,
            "mix_effect": raw_rate["estimate"] - found["estimate"],
            "not_comparable_effect": expected - overall,
        }
    )


def _difference(design: Design, own: pd.DataFrame, others: pd.DataFrame, mix: pd.Series) -> dict:
    """A group against everybody else, in the cells that both have."""
    shared = sorted(set(own["cell"]) & set(others["cell"]))
    if not shared:
        return {"shared_share": 0}
    mine = design.rate(own[own["cell"].isin(shared)], mix)
    theirs = design.rate(others[others["cell"].isin(shared)], mix)
    p, q = mine["estimate"], theirs["estimate"]
    low = p - q - math.hypot(p - mine["ci_low"], theirs["ci_high"] - q)
    high = p - q + math.hypot(mine["ci_high"] - p, q - theirs["ci_low"])
    return {
        "shared_share": mix[shared].sum(),
        "others_estimate": q,
        "others_estimate_ci_low": theirs["ci_low"],
        "others_estimate_ci_high": theirs["ci_high"],
        "difference_from_others": p - q,
        "difference_ci_low": low,
        "difference_ci_high": high,
        "is_apart_from_others": low > 0 or high < 0,
        "is_known": mix[shared].sum() >= MIN_COMPARABLE
        and theirs["n"] >= MIN_AUDITS
        and theirs["effective_n"] >= MIN_EFFECTIVE_N,
    }


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
