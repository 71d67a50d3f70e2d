"""How accurate people are, once more, and the designs that models/explain compares groups by.

Estimates and standard errors are samplics' (Taylor linearisation), the variance between people
statsmodels' (DerSimonian and Laird), probabilities scipy's. The variables are those of
dbt_project.yml as it is delivered.
"""

import hmac
import math
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from .accuracy import is_frame_held
from .intervals import inverse_n, stratified_wilson
from .raw_tables import RawTables
from .sample import Sample, known_at, read_sample, valid_at

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst

PSEUDONYM_KEY = "sample-data-only"
WINDOW_DAYS = 90
MIN_AUDITS, MIN_EFFECTIVE_N, MIN_TO_RANK = 30, 30, 100
MIN_PEERS, MAX_MISFRAMED = 5, 0.05
Z = stats.norm.ppf(0.975)
PERIOD = ["period_type", "period_starts_on"]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the mart of moderators.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}; nothing of a world without audits.
    """
    sample, as_of = read_sample(raw), known_at(raw)
    if sample.audits.empty:
        return {}
    people = audits_of_people(raw, sample, as_of)
    return {"restricted.moderator_accuracy": as_texts(moderators(raw, sample, people, as_of))}


def as_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Make objects of a true and a false: so they are compared as texts, not subtracted."""
    return rows.astype(dict.fromkeys(rows.select_dtypes("bool"), object))


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
        n_decided = sample.decisions["stratum"].value_counts()
        self.is_frame_held = is_frame_held(sample)
        # Of how many decisions an audit speaks: the frame and the count may disagree.
        self.speaks_for = (
            self.strata["population_size"].combine(n_decided.reindex(self.strata.index), np.fmax)
            / self.strata["n_audits"]
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

    def misframed_share(self, audits: pd.DataFrame) -> float:
        """The share, of what some audits speak for, of strata whose frame disagrees."""
        of = audits["stratum"].map(self.speaks_for)
        return of[~audits["stratum"].map(self.is_frame_held)].sum() / of.sum()

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
                    "misframed_share": design.misframed_share(own),
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
            rows["misframed_share"] > MAX_MISFRAMED,
            rows["eb_estimate"].isna(),
        ],
        ["no_audits", "too_few_audits", "low_effective_n", "frame_disagrees", "peers_unknown"],
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
    return rows.drop(columns=["moderator_id", "period_ends_on", "misframed_share"])
