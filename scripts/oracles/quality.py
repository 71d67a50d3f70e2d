"""Scores, auditors, calibration, golden items and disputes once more: pandas and statsmodels."""

import hmac
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from . import agreement
from .accuracy import (
    Terms,
    audited_groups,
    by_period,
    dimensions,
    estimates,
    few_people,
    periods_of,
    rates,
)
from .disclosure import MIN_PEOPLE, OF_PEOPLE, codes_of, hide
from .raw_tables import RawTables
from .sample import (
    ENFORCING,
    PROBABILITY,
    STRENGTH,
    Sample,
    read_sample,
    standing_audits,
    valid_at,
    why_left_out,
    with_design,
)

MIN_AUDITS = 30
MIN_TO_RANK = 100
GROUP = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
SET = GROUP[:-1]


def _with_bounds(*names: str) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_ci_low", "_ci_high")]


# What is not shown of few people.
LEFT_OUT = ["n_items", "n_not_rated", "n_no_benchmark"]
GAP = ["n", "rater_mean", "benchmark_mean", "estimate", "standard_error", "ci_low", "ci_high"]
PASSED = ["n", "n_served", "answer_rate", "n_successes", "estimate", "ci_low", "ci_high"]
REVIEWS = [
    "n_excluded", "n_audit_excluded", "n_nothing_rated", "n_not_applicable",
    "n_not_rated", "n_eligible_decisions", "n_covered_decisions", "coverage_rate",
]  # fmt: skip
OPERATIONS = [
    "n_eligible_decisions", "n_audited_decisions", "n_audits", "n_blind_known", "n_blind",
    "turnaround_seconds_median", "turnaround_seconds_p90",
]  # fmt: skip
SCORES = [
    "n", "n_automatic_fails", "n_weighted", "weighted_score", "weighted_standard_error",
    *(
        f"{name}{end}"
        for name in ("standard_error", "ci_low", "ci_high")
        for end in ("", "_without_fails")
    ),
    "estimate",
    "score_without_fails",
]  # fmt: skip
STATES = ["pending", "withdrawn", "upheld", "overturned"]
# By metric: numerator and denominator, by the columns of their source. What is counted in full has
# no interval and needs no least number.
SHARES = {
    "audits": {
        "auditor_accuracy": ("is_same_finding", "is_benchmarked"),
        "auditor_false_alarm_rate": ("is_false_alarm", "is_benchmark_correct"),
        "auditor_missed_error_rate": ("is_missed_error", "is_benchmark_wrong"),
        "benchmarked_share": ("is_benchmarked", "one"),
        "dispute_rate": ("is_disputed", "has_error"),
        "dispute_overturn_rate": ("overturned", "resolved"),
        "dispute_pending_share": ("pending", "filed"),
        "dispute_withdrawn_share": ("withdrawn", "filed"),
    },
    "servings": {
        "golden_pass_rate": ("is_passed", "is_answered"),
        "golden_pass_rate_without_bad_keys": ("is_passed", "is_of_good_key"),
        "golden_answer_rate": ("is_answered", "one"),
        "golden_bad_key_share": ("is_of_bad_key", "is_answered"),
    },
    "operations": {
        "audit_coverage": ("n_audited_decisions", "n_eligible_decisions"),
        "blind_share": ("n_blind", "n_blind_known"),
    },
}
IN_FULL = [
    "benchmarked_share", "dispute_pending_share", "dispute_withdrawn_share", "golden_answer_rate",
    "golden_bad_key_share", "audit_coverage",
]  # fmt: skip
Z = 1.959963984540054


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The marts of the quality of quality, and the two about persons."""
    sample = read_sample(raw)
    verdicts = _verdicts(raw, sample)
    pairs = _pairs(raw)
    servings = _servings(raw)
    ratings = _ratings(raw, sample)
    of_raters = _of_people(pairs) | {
        "rater_role": _known(pairs["rater_role"]),
        "policy": pairs["benchmark_policy"],
    }
    operations = _operations(sample, verdicts)
    shares = _shares(raw, verdicts, servings, operations)
    rater = pairs["rater_id"].map(_pseudonym)
    return {
        "rates.quality_scores": _hide_few(
            _quality_scores(sample, ratings), raw.suppressed("scores"), SCORES, REVIEWS
        ),
        "rates.quality_rates": _rates(raw, shares),
        "restricted.quality_rates_by_person": _rates_by_person(shares),
        "rates.accuracy_if_audits_err": _if_audits_err(raw, sample, verdicts),
        "rates.calibration_gap": _hide_few(
            _gaps(pairs, of_raters), raw.suppressed("calibration"), [*GAP, *LEFT_OUT], []
        ),
        "restricted.calibration_gap_by_person": _by_person(
            _gaps(pairs, {"rater": rater}), "rater_key"
        ),
        "rates.golden_items": hide(
            _golden_items(servings), "n_people_asked", ["key_version"], "golden_id", PASSED
        ).drop(columns="n_people_asked"),
        "rates.audit_operations": _hide_few(
            operations, raw.suppressed("accuracy"), OPERATIONS, []
        ),
        "rates.audit_completion": _completion(raw, sample),
    }


# --- what several marts need ------------------------------------------------------------------


def _pseudonym(person: str) -> str | None:
    """What stands for a person in the layer; with the key of the samples where none is set."""
    if pd.isna(person) or person == "":
        return None
    key = os.environ.get("DBT_ENV_SECRET_PSEUDONYM_KEY", "sample-data-only")
    return hmac.digest(key.encode(), person.encode(), "sha256").hex()[:16]


def _groups(
    rows: pd.DataFrame,
    day: str,
    of: dict[str, pd.Series | str],
    more: list[str] | None = None,
    has_quarters: bool = True,
) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """The rows of each period, dimension value and, where given, value of further columns."""
    if not len(rows):
        return
    periods = periods_of(rows[day])
    if has_quarters:
        periods["quarter"] = rows[day].dt.to_period("Q").dt.start_time
    for period_type, starts in periods.items():
        for name, value in of.items():
            values = value if isinstance(value, pd.Series) else pd.Series(value, index=rows.index)
            keys = [starts.rename("start"), values.rename("value"), *(rows[c] for c in more or [])]
            for key, part in rows.groupby(keys):
                group = dict(zip(more or [], key[2:], strict=True))
                yield (
                    group
                    | {
                        "period_type": period_type,
                        "period_starts_on": key[0],
                        "dimension_name": name,
                        "dimension_value": key[1],
                    },
                    part,
                )


def _table(rows: list[dict], more: list[str] | None = None) -> pd.DataFrame:
    """The rows as a table, which has its key columns also where there are none."""
    empty = pd.DataFrame(columns=[*GROUP, *(more or [])]).astype(
        {"period_starts_on": "datetime64[us]"}
    )
    return pd.DataFrame(rows) if rows else empty


def _hide_few(
    found: pd.DataFrame,
    suppressed: pd.DataFrame,
    columns: list[str],
    work: list[str],
) -> pd.DataFrame:
    """Take out what is of groups that are suppressed.

    Args:
        found: a mart.
        suppressed: the list of its basis.
        columns: those to take out.
        work: those to take out of groups of people.
    """
    if found.empty:
        return found
    found = found.astype(dict.fromkeys(found[[*columns, *work]].select_dtypes("integer"), float))
    codes = codes_of(found, suppressed)
    found["reason_code"] = found["reason_code"].astype(object).where(codes.isna(), codes)
    found.loc[codes.notna(), columns] = np.nan
    found.loc[codes.notna() & found["dimension_name"].isin(OF_PEOPLE), work] = np.nan
    return found


def _share(name: str, count: float, n: float) -> dict[str, float]:
    """A share with Wilson's interval; null of nothing."""
    low, high = proportion_confint(count, n, method="wilson") if n else (np.nan, np.nan)
    return {
        name: count / n if n else np.nan,
        f"{name}_ci_low": max(low, 0) if n else np.nan,
        f"{name}_ci_high": min(high, 1) if n else np.nan,
    }


def _few(n: float, of: str) -> tuple[bool, str]:
    return n < MIN_AUDITS, f"too_few_{of}"


def _few_people(n: float, least: int) -> tuple[bool, str]:
    return n < least, "suppressed_small_group"


def _reason(name: str, *cases: tuple[bool, str]) -> dict[str, str | None]:
    """The first reason that holds; none, and the number can stand alone."""
    return {name: next((reason for holds, reason in cases if holds), None)}


def _by_person(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The rows of persons, under the name that their mart has for them."""
    return rows.drop(columns=["dimension_name", "n_auditors"], errors="ignore").rename(
        columns={"dimension_value": key}
    )


def _known(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "unknown")


def _of_people(rows: pd.DataFrame) -> dict[str, pd.Series | str]:
    people = {"site": "site", "vendor": "vendor", "team": "team_id", "language": "language"}
    return {"overall": "all"} | {name: _known(rows[column]) for name, column in people.items()}


def _with_roster(raw: RawTables, rows: pd.DataFrame, person: str, moment: str) -> pd.DataFrame:
    columns = ["site", "vendor", "team_id", "language"]
    roster = raw.latest("roster", ["person_id", "valid_from"], [*columns, "valid_to"])
    return valid_at(rows.assign(decided_at=rows[moment]), roster, person, "person_id", columns)


# --- audits and their benchmarks --------------------------------------------------------------


def _found(audit: tuple) -> str | None:
    """What an audit itself says of the decision, before any dispute."""
    decided, true = audit.decided_action_code, audit.found_action
    if audit.is_technical_error is True or audit.is_technical_error is np.True_:
        return "technical"
    known = [*ENFORCING, "no_action"]
    if decided not in known or true not in known:
        return None
    enforced, violates = decided in ENFORCING, true in ENFORCING
    if enforced != violates:
        return "false_positive" if enforced else "false_negative"
    if not enforced:
        return "correct"
    if pd.isna(audit.found_policy):
        return None
    is_same = decided == true and audit.decided_policy_id == audit.found_policy
    return "correct" if is_same else "wrong_selection"


def _verdicts(raw: RawTables, sample: Sample) -> pd.DataFrame:
    """Final audits with what they found, and what the benchmark of their decision found."""
    audits = standing_audits(raw)
    audits = audits[(audits["audit_status"] == "final") & ~audits["is_withdrawn"]]
    first = raw.latest(
        "audits", ["audit_id", "revision_no"], ["truth_action_code", "truth_policy_id"]
    )
    first = first.rename(
        columns={"truth_action_code": "found_action", "truth_policy_id": "found_policy"}
    ).replace({"found_action": "", "found_policy": ""}, None)
    audits = audits.merge(first, on=["audit_id", "revision_no"])
    audits["found"] = [_found(row) for row in audits.itertuples()]
    taken = audits.columns.difference(["decision_id"])
    context = sample.decisions.drop(columns=sample.decisions.columns.intersection(taken))
    audits = audits.merge(context, on="decision_id", how="left")
    who = _with_roster(raw, audits, "auditor_id", "audited_at")
    audits["auditor_site"], audits["auditor_vendor"] = who["site"], who["vendor"]

    last = audits[(audits["sampling_method"] == "benchmark") & audits["error_class"].notna()]
    last = last.sort_values(["audited_at", "audit_id"]).drop_duplicates("decision_id", keep="last")
    last = last.set_index("decision_id")
    for name in ("error_class", "truth_action_code", "truth_policy_id", "auditor_id"):
        audits[f"benchmark_{name}"] = audits["decision_id"].map(last[name])
    audits["is_benchmarked"] = (
        audits["benchmark_error_class"].notna()
        & (audits["sampling_method"] != "benchmark")
        & audits["found"].notna()
        & (audits["benchmark_auditor_id"] != audits["auditor_id"])
    )
    both_none = audits["found_policy"].isna() & audits["benchmark_truth_policy_id"].isna()
    of_no_policy = both_none | (audits["found_action"] == "no_action")
    is_technical = audits["found"] == "technical"
    audits["is_same"] = (
        (audits["found_action"] == audits["benchmark_truth_action_code"])
        & (is_technical == (audits["benchmark_error_class"] == "technical"))
        & (of_no_policy | (audits["found_policy"] == audits["benchmark_truth_policy_id"]))
    )
    revisions = raw.latest("audits", ["audit_id", "revision_no"], ["audit_status", "audited_at"])
    finals = revisions[revisions["audit_status"] == "final"].groupby("audit_id")["audited_at"]
    audits["first_final_at"] = pd.to_datetime(audits["audit_id"].map(finals.min()))
    return audits


def _if_audits_err(raw: RawTables, sample: Sample, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy as it would be without the errors of audits, by Rogan and Gladen.

    The slopes of the delta method are taken numerically.
    """
    counted = verdicts[verdicts["audit_id"].isin(sample.audits["audit_id"])]
    known = counted[counted["is_benchmarked"]]
    right = known["benchmark_error_class"] == "correct"
    says_right = known["error_class"] == "correct"
    n_right, n_wrong = right.sum(), (~right).sum()
    confirmed, detected = (right & says_right).sum(), (~right & ~says_right).sum()
    sensitivity = confirmed / n_right if n_right else np.nan
    specificity = detected / n_wrong if n_wrong else np.nan
    constant = {
        "n_benchmarked": len(known),
        "n_benchmark_correct": n_right,
        "n_benchmark_wrong": n_wrong,
        "n_confirmed": confirmed,
        "n_detected": detected,
        **_share("sensitivity", confirmed, n_right),
        **_share("specificity", detected, n_wrong),
    }

    def corrected(p: float, se: float, sp: float) -> float:
        return (p + sp - 1) / (se + sp - 1)

    is_right = (sample.audits["error_class"] == "correct") * 1.0
    found = {}
    for period_type, start, audits, own in by_period(sample):
        ones = pd.Series(1.0, index=audits.index)
        for name, value in dimensions(audits).items():
            part = rates(
                sample, audits, value.where(own), Terms(is_right[audits.index], ones, ones)
            )
            for value_of, row in part.iterrows():
                found[period_type, start, name, value_of] = row
    rows = []
    decisions = sample.decisions
    for period_type, starts in periods_of(decisions["decided_at"]).items():
        for name, value in dimensions(decisions).items():
            for key in decisions.groupby([starts, value]).groups:
                row = found.get((period_type, key[0], name, key[1]))
                group = dict(zip(GROUP, (period_type, key[0], name, key[1]), strict=True))
                p = row["estimate"] if row is not None else np.nan
                error = row["standard_error"] if row is not None else np.nan
                estimate = standard_error = np.nan
                if sensitivity + specificity - 1 > 0.2:
                    estimate = np.clip(corrected(p, sensitivity, specificity), 0, 1)
                    # Slopes where the truth is the estimate: there p is what would be expected.
                    at = (
                        sensitivity * estimate + (1 - specificity) * (1 - estimate),
                        sensitivity,
                        specificity,
                    )
                    variances = (
                        error**2,
                        sensitivity * (1 - sensitivity) / n_right,
                        specificity * (1 - specificity) / n_wrong,
                    )
                    total = 0.0
                    for i, variance in enumerate(variances):
                        step = [1e-4 * (j == i) for j in range(3)]
                        up = corrected(*(a + s for a, s in zip(at, step, strict=True)))
                        down = corrected(*(a - s for a, s in zip(at, step, strict=True)))
                        total += ((up - down) / 2e-4) ** 2 * variance
                    standard_error = np.sqrt(total)
                rows.append(
                    group
                    | constant
                    | {"accuracy": p, "estimate": estimate, "standard_error": standard_error}
                )
    table = _table(rows)
    few = pd.MultiIndex.from_frame(few_people(raw, audited_groups(sample))[GROUP])
    is_few = pd.MultiIndex.from_frame(table[GROUP]).isin(few)
    table.loc[is_few, ["accuracy", "estimate", "standard_error"]] = np.nan
    return table


# --- scorecards -------------------------------------------------------------------------------


def _ratings(raw: RawTables, sample: Sample) -> pd.DataFrame:
    """Scores of reviews and categories of audits that are in the mean, or would be but for N/A."""
    scores = raw.latest("audit_scores", ["audit_id", "revision_no", "category_id"], [
        "score", "scale_min", "scale_max", "weight", "is_critical", "is_not_applicable",
    ])  # fmt: skip
    audits = standing_audits(raw)
    # A blank truth, or a frame that is not known, says nothing of the scorecard.
    audits["reason"] = why_left_out(audits, sample).replace(["truth_missing", "no_frame"], "")
    rows = scores.merge(audits[["audit_id", "revision_no", "decision_id", "reason"]])
    applies = ~rows["is_not_applicable"].fillna(False).astype(bool)
    percent = (rows["score"] - rows["scale_min"]) / (rows["scale_max"] - rows["scale_min"])
    rows["percent"] = percent.where(applies).astype(float)
    critical = rows["is_critical"].fillna(False).astype(bool)
    rows["is_fail"] = critical & (rows["percent"] < 0.5)
    rows["why"] = np.where(~applies, "not_applicable", "not_rated")
    rows["why"] = rows["why"].where(rows["percent"].isna(), "")
    categories = rows.assign(score_of="category", plain=rows["percent"], final=rows["percent"])

    def review(card: pd.DataFrame) -> pd.Series:
        rated = card[card["percent"].notna()]
        total = rated["weight"].sum()
        plain = np.average(rated["percent"], weights=rated["weight"]) if total > 0 else np.nan
        return pd.Series(
            {
                "plain": plain,
                "final": 0.0 if card["is_fail"].any() and total > 0 else plain,
                "is_fail": card["is_fail"].any(),
                "decision_id": card["decision_id"].iloc[0],
                "reason": card["reason"].iloc[0],
                "why": "" if total > 0 else "nothing_rated",
            }
        )

    reviews = [categories]
    if len(rows):
        cards = rows.groupby("audit_id").apply(review, include_groups=False).reset_index()
        reviews.append(cards.assign(score_of="review", category_id="all"))
    both = pd.concat(reviews, ignore_index=True)
    both["reason"] = both["reason"].where(both["reason"] != "", both["why"])
    drop = both.columns.intersection(sample.decisions.columns).difference(["decision_id"])
    return both.merge(sample.decisions.drop(columns=drop), on="decision_id")


def _quality_scores(sample: Sample, ratings: pd.DataFrame) -> pd.DataFrame:
    rows = []
    scored = {
        key: _scored(sample, part)
        for key, part in ratings[ratings["reason"] == ""].groupby(["score_of", "category_id"])
    }
    decisions = sample.decisions[sample.decisions["is_eligible"]]
    strata_of = {
        _place(group): part["stratum"]
        for group, part in _groups(
            decisions, "decided_at", dimensions(decisions), has_quarters=False
        )
    }
    for group, part in _groups(
        ratings, "decided_at", dimensions(ratings), ["score_of", "category_id"], has_quarters=False
    ):
        kept = part[part["reason"] == ""]
        excluded = part.loc[part["reason"] != "", "reason"].value_counts()
        own = {
            f"n_{reason}": int(excluded.get(reason, 0))
            for reason in ("nothing_rated", "not_applicable", "not_rated")
        }
        row = group | {
            "n": len(kept),
            "n_automatic_fails": int(kept["is_fail"].sum()),
            "n_excluded": int(excluded.sum()),
            "n_audit_excluded": int(excluded.sum()) - sum(own.values()),
            **own,
        }
        is_constant = len(kept) > 1 and np.ptp(kept["final"].to_numpy(float)) < 1e-9
        row |= _reason(
            "reason_code",
            (not len(kept), "zero_denominator"),
            _few(len(kept), "cases"),
            (is_constant, "no_variation"),
        )
        for column, end in (("final", ""), ("plain", "_without_fails")):
            stats = DescrStatsW(kept[column].to_numpy(float)) if len(kept) else None
            mean = stats.mean if stats else np.nan
            error = stats.std_mean if stats and len(kept) > 1 else np.nan
            row |= {
                f"{'score' if end else 'estimate'}{end}": mean,
                f"standard_error{end}": error,
                f"ci_low{end}": np.fmax(mean - Z * error, 0) if len(kept) > 1 else np.nan,
                f"ci_high{end}": np.fmin(mean + Z * error, 1) if len(kept) > 1 else np.nan,
            }
        among = scored.get((group["score_of"], group["category_id"]))
        strata = strata_of.get(_place(group), pd.Series(dtype=int))
        covered = among.strata["n_audits"] > 0 if among else pd.Series(dtype=bool)
        n_covered = strata.isin(covered.index[covered]).sum()
        row |= {"n_weighted": 0, "weighted_score": np.nan, "weighted_standard_error": np.nan}
        row |= {"n_eligible_decisions": len(strata), "n_covered_decisions": n_covered}
        row["coverage_rate"] = n_covered / len(strata) if len(strata) else np.nan
        inside = among.audits["audit_id"].isin(kept["audit_id"]) if among else pd.Series(dtype=bool)
        if inside.any():
            # Strata that stand for each other in the variance come together.
            pools = among.audits["stratum"].map(among.strata["pool"])
            audits = among.audits[pools.isin(pools[inside].unique())]
            inside = pd.Series("x", index=audits.index).where(inside[audits.index])
            score = audits["score"].where(inside.notna(), 0)
            found = estimates(among, audits, inside, score, inside.notna() * 1.0)
            row["n_weighted"] = int(inside.notna().sum())
            row["weighted_score"] = found.loc["x", "estimate"]
            row["weighted_standard_error"] = found.loc["x", "standard_error"]
        rows.append(row)
    return _table(rows, ["score_of", "category_id"])


def _scored(sample: Sample, kept: pd.DataFrame) -> Sample:
    """The sample as it would be had only the audits with one of these scores been made."""
    score = kept.set_index("audit_id")["final"].astype(float)
    audits = sample.audits[sample.audits["stratum"] >= 0]
    audits = audits[audits["audit_id"].isin(score.index)].reset_index(drop=True)
    strata = with_design(sample.strata, audits["stratum"])
    audits = audits.assign(
        score=audits["audit_id"].map(score), weight=audits["stratum"].map(strata["weight"])
    )
    return Sample(sample.decisions, strata, audits)


def _place(group: dict[str, object]) -> tuple:
    """The key of a group."""
    return tuple(group[name] for name in GROUP)


# --- calibration ------------------------------------------------------------------------------


def _pairs(raw: RawTables) -> pd.DataFrame:
    """Ratings of others than experts, beside the mean of the experts' ratings of the same item."""
    item = ["session_id", "item_id"]
    rows = raw.latest("calibration_ratings", [*item, "rater_id"], [
        "rater_role", "action_code", "policy_id", "rated_at",
    ])  # fmt: skip
    rows["rated_at"] = pd.to_datetime(rows["rated_at"])
    rows["strength"] = rows["action_code"].map(STRENGTH).astype(float)
    rows["enforcement_rate"] = rows["action_code"].isin(ENFORCING).astype(float)
    rows.loc[rows["strength"].isna(), "enforcement_rate"] = np.nan
    is_expert = rows["rater_role"] == "expert"
    experts = rows[is_expert & rows["strength"].notna()]
    experts = experts.assign(policy=experts["policy_id"].replace("", None).fillna("no_policy"))
    benchmarks = experts.groupby(item).agg(
        benchmark_strength=("strength", "mean"),
        benchmark_enforcement_rate=("enforcement_rate", "mean"),
        n_policies=("policy", "nunique"),
        benchmark_policy=("policy", "first"),
    )
    benchmarks["benchmark_policy"] = benchmarks["benchmark_policy"].mask(
        benchmarks["n_policies"] > 1, "contested"
    )
    pairs = rows[~is_expert].merge(benchmarks, left_on=item, right_index=True, how="left")
    pairs["benchmark_policy"] = pairs["benchmark_policy"].fillna("no_benchmark")
    pairs["item"] = pairs["session_id"].astype(str) + "|" + pairs["item_id"].astype(str)
    pairs = pairs.reset_index(drop=True)
    return pairs.join(_with_roster(raw, pairs, "rater_id", "rated_at"))


def _gaps(pairs: pd.DataFrame, of: dict) -> pd.DataFrame:
    rows = []
    for group, part in _groups(pairs, "rated_at", of):
        rated = part[part["strength"].notna()]
        known = rated[rated["benchmark_strength"].notna()]
        n_raters = known["rater_id"].nunique()
        for measure in ("enforcement_rate", "strength"):
            row = group | {
                "measure": measure,
                "n": len(known),
                "n_items": known["item"].nunique(),
                "n_people": n_raters,
                "n_not_rated": len(part) - len(rated),
                "n_no_benchmark": len(rated) - len(known),
            }
            row |= dict.fromkeys(GAP[1:], np.nan)
            df = (row["n_items"] if n_raters < 2 else min(row["n_items"], n_raters)) - 1
            off = known[measure] - known[f"benchmark_{measure}"]
            row |= _reason(
                "reason_code",
                (not len(known), "zero_denominator"),
                _few(len(known), "cases"),
                (df < 2, "variance_unknown"),
                (len(off) and np.ptp(off.to_numpy(float)) < 1e-9, "no_variation"),
            )
            if len(known):
                theirs, benchmark = known[measure], known[f"benchmark_{measure}"]
                gap = (theirs - benchmark).mean()
                error = _clustered(theirs - benchmark, known["item"], known["rater_id"])
                row |= {
                    "rater_mean": theirs.mean(),
                    "benchmark_mean": benchmark.mean(),
                    "estimate": gap,
                    "standard_error": error,
                    "ci_low": gap - _t(df) * error,
                    "ci_high": gap + _t(df) * error,
                }
            rows.append(row)
    return _table(rows, ["measure", "n_people"])


def _t(df: int) -> float:
    """Student's quantile, as its expansion around the normal one has it; NaN below 2."""
    if df < 2:
        return np.nan
    if df == 2:
        return float(stats.t.ppf(0.975, 2))
    # Coefficients of z, z³, z⁵, z⁷ and z⁹, by the power of 1/df (Abramowitz and Stegun 26.7.5).
    by_power = [
        np.array([1, 0, 0, 0, 0]),
        np.array([1, 1, 0, 0, 0]) / 4,
        np.array([3, 16, 5, 0, 0]) / 96,
        np.array([-15, 17, 19, 3, 0]) / 384,
        np.array([-945, -1920, 1482, 776, 79]) / 92160,
    ]
    odd = Z ** np.arange(1, 10, 2)
    return sum(float(part @ odd) / df**power for power, part in enumerate(by_power))


def _clustered(differences: pd.Series, item: pd.Series, rater: pd.Series) -> float:
    """Standard error of a mean whose values share items and raters, by statsmodels."""

    def variance(cluster: np.ndarray) -> float:
        model = sm.OLS(differences.to_numpy(float), np.ones(len(differences)))
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": cluster})
        return float(fit.cov_params()[0, 0])

    if item.nunique() < 2:
        return np.nan
    by_item = variance(pd.factorize(item)[0])
    if rater.nunique() < 2:
        return np.sqrt(by_item)
    by_rater = variance(pd.factorize(rater)[0])
    each = variance(np.arange(len(differences)))
    return np.sqrt(max(by_item + by_rater - each, by_item, by_rater))


# --- golden items -----------------------------------------------------------------------------


def _servings(raw: RawTables) -> pd.DataFrame:
    rows = raw.latest("golden_results", ["golden_id", "moderator_id", "served_at"], [
        "key_version", "answer_action_code", "answer_policy_id", "true_action_code",
        "true_policy_id",
    ])  # fmt: skip
    rows["served_at"] = pd.to_datetime(rows["served_at"])
    rows = rows.astype(object).where(rows.notna() & (rows != ""), None)
    rows["served_at"] = pd.to_datetime(rows["served_at"])
    rows["key_version"] = rows["key_version"].fillna("unversioned")
    rows["is_answered"] = rows["answer_action_code"].notna()
    policy_is_right = rows["true_policy_id"].isna() | (
        rows["answer_policy_id"] == rows["true_policy_id"]
    )
    rows["is_passed"] = (
        rows["is_answered"]
        & (rows["answer_action_code"] == rows["true_action_code"])
        & policy_is_right
    )
    key = ["golden_id", "key_version"]
    answers = rows[rows["is_answered"]]
    people = answers.groupby(key)["moderator_id"].nunique()
    passed = answers.groupby(key)["is_passed"].any()
    bad = people.index[(people >= MIN_PEOPLE) & ~passed]
    rows["is_bad_key"] = pd.MultiIndex.from_frame(rows[key]).isin(bad)
    return rows.join(_with_roster(raw, rows, "moderator_id", "served_at"))


def _tested(part: pd.DataFrame) -> dict[str, float]:
    answers = part[part["is_answered"]]
    n_people, n_answered = answers["moderator_id"].nunique(), len(answers)
    passed = part["is_passed"].sum()
    share = _share("estimate", passed, n_answered)
    shown = {"n_successes": passed} | {
        name.replace("estimate_", ""): x for name, x in share.items()
    }
    return (
        {
            "n_people": n_people,
            "n_served": len(part),
            "n": n_answered,
            "answer_rate": n_answered / len(part),
        }
        | _golden_reason("reason_code", answers, 0)
        | shown
    )


def _golden_reason(name: str, answers: pd.DataFrame, least: int) -> dict[str, str | None]:
    return _reason(
        name,
        (not len(answers), "zero_denominator"),
        _few_people(answers["moderator_id"].nunique(), least),
        _few(len(answers), "cases"),
    )


def _golden_items(servings: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (golden_id, key_version), part in servings.groupby(["golden_id", "key_version"]):
        keys = part[["true_action_code", "true_policy_id"]].fillna("").drop_duplicates()
        item = {"golden_id": golden_id, "key_version": key_version, "n_keys": len(keys)}
        tested = _tested(part)
        item["n_people_asked"] = tested["n_people"] or part["moderator_id"].nunique()
        rows.append(item | {"is_bad_key": part["is_bad_key"].any()} | tested)
    none = ["golden_id", "key_version", "n_people_asked"]
    found = pd.DataFrame(rows, columns=None if rows else none)
    return found.astype({"is_bad_key": object} if rows else {})


# --- shares -----------------------------------------------------------------------------------


def _shares(
    raw: RawTables, verdicts: pd.DataFrame, servings: pd.DataFrame, operations: pd.DataFrame
) -> pd.DataFrame:
    """Numerator n_successes and denominator n of every metric, period, group and person."""
    judged = verdicts["found"].notna() & (verdicts["sampling_method"] != "benchmark")
    audits = _with_disputes(raw, verdicts[judged])
    right = audits["is_benchmarked"] & (audits["benchmark_error_class"] == "correct")
    wrong = audits["is_benchmarked"] & ~right
    says_right = audits["found"] == "correct"
    audits = audits.assign(
        is_same_finding=audits["is_benchmarked"] & audits["is_same"],
        is_benchmark_correct=right,
        is_false_alarm=right & ~says_right,
        is_benchmark_wrong=wrong,
        is_missed_error=wrong & says_right,
        has_error=~says_right,
        is_disputed=~says_right & (audits["filed"] > 0),
    )
    of_audits = dimensions(audits) | {
        "sampling_method": audits["sampling_method"],
        "auditor_tier": _known(audits["auditor_tier"]),
        "auditor_site": _known(audits["auditor_site"]),
        "auditor_vendor": _known(audits["auditor_vendor"]),
    }
    servings = servings.assign(
        is_of_good_key=servings["is_answered"] & ~servings["is_bad_key"],
        is_of_bad_key=servings["is_answered"] & servings["is_bad_key"],
    )
    of_servings = _of_people(servings) | {
        "key_version": servings["key_version"],
        "policy": servings["true_policy_id"].fillna("no_policy"),
        "action": servings["true_action_code"],
    }
    person = audits["auditor_id"].map(_pseudonym)
    parts = [
        _cells(audits, "first_final_at", person, of_audits, SHARES["audits"]),
        _cells(
            servings, "served_at", servings["moderator_id"].map(_pseudonym), of_servings,
            SHARES["servings"],
        ),
    ]  # fmt: skip
    repeats = agreement.repeats(raw)
    repeats["is_same"] = repeats["label"] == repeats["before"]
    for (source, kind), part in repeats.groupby(["rating_source", "label_kind"]):
        metric = {f"self_consistency_{source}_{kind}": ("is_same", "one")}
        of = {"overall": "all"} | {name: part[name] for name in ("policy", "site", "language")}
        of["session"] = part["session_id"]
        parts.append(_cells(part, "rated_on", part["rater"], of, metric))
    by_method = operations["sampling_method"] != "all"
    operations = operations[~by_method | (operations["dimension_name"] == "overall")]
    operations.loc[by_method, "dimension_name"] = "sampling_method"
    operations.loc[by_method, "dimension_value"] = operations["sampling_method"]
    parts += [
        operations[GROUP].assign(
            metric_id=metric, person=None, n_successes=operations[found], n=operations[of]
        )
        for metric, (found, of) in SHARES["operations"].items()
    ]
    return pd.concat(parts, ignore_index=True)


def _with_disputes(raw: RawTables, audits: pd.DataFrame) -> pd.DataFrame:
    """Add how many disputes of an audit were filed, and what became of them."""
    disputes = raw.latest("disputes", ["dispute_id"], ["audit_id", "outcome"])
    counts = (
        pd.crosstab(disputes["audit_id"], disputes["outcome"]).reindex(columns=STATES).fillna(0)
    )
    audits = audits.join(counts, on="audit_id").fillna(dict.fromkeys(STATES, 0))
    return audits.assign(
        filed=audits[STATES].sum(axis=1), resolved=audits["upheld"] + audits["overturned"]
    )


def _cells(
    rows: pd.DataFrame,
    day: str,
    person: pd.Series,
    of: dict[str, pd.Series | str],
    metrics: dict[str, tuple[str, str]],
) -> pd.DataFrame:
    """The sums of a source by period, dimension and person, for each of its metrics."""
    periods = periods_of(rows[day])
    periods["quarter"] = rows[day].dt.to_period("Q").dt.start_time
    rows = rows.assign(one=1)
    terms = sorted({term for pair in metrics.values() for term in pair})
    sums = []
    for period_type, starts in periods.items():
        for name, value in of.items():
            keys = {
                "period_type": period_type,
                "period_starts_on": starts,
                "dimension_name": name,
                "dimension_value": value,
                "person": person,
            }
            table = rows[terms].astype(float).assign(**keys)
            sums.append(table.groupby(list(keys), dropna=False)[terms].sum().reset_index())
    cells = pd.concat(sums, ignore_index=True)
    return pd.concat(
        [
            cells[[*GROUP, "person"]].assign(
                metric_id=metric, n_successes=cells[found], n=cells[all_of]
            )
            for metric, (found, all_of) in metrics.items()
        ],
        ignore_index=True,
    )


def _published(rows: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """What is said of a share: codes are why nothing of it is."""
    is_shown, in_full = codes.isna(), rows["metric_id"].isin(IN_FULL)
    n = rows["n"].astype(float).where(is_shown)
    k = rows["n_successes"].astype(float).where(is_shown)
    of_something = n.where(n > 0)
    low, high = proportion_confint(k, of_something, method="wilson")
    share = k / of_something
    error = np.sqrt(share * (1 - share) / of_something)
    reason = np.select(
        [~is_shown, rows["n"] == 0, (rows["n"] < MIN_AUDITS) & ~in_full],
        [codes.fillna(""), "zero_denominator", "too_few_cases"],
        "",
    )
    why = np.select(
        [share.isna(), in_full, share.isin([0, 1])], ["", "counted_in_full", "no_variance_seen"], ""
    )
    return rows.assign(
        reason_code=pd.Series(reason, rows.index, dtype=object).replace("", None),
        n=n,
        n_successes=k,
        estimate=share,
        standard_error=error.where((error > 0) & ~in_full),
        standard_error_reason=pd.Series(why, rows.index, dtype=object).replace("", None),
        ci_low=pd.Series(low, rows.index).clip(lower=0).where(~in_full),
        ci_high=pd.Series(high, rows.index).clip(upper=1).where(~in_full),
    )


def _rates(raw: RawTables, shares: pd.DataFrame) -> pd.DataFrame:
    """Every share, but of groups that the list has for its denominator."""
    key = ["metric_id", *GROUP]
    if shares.empty:
        return _table([], ["metric_id"])
    rows = shares.groupby(key)[["n_successes", "n"]].sum()
    people = shares[shares["n"] > 0].groupby(key)["person"].nunique()
    rows["n_people"] = np.maximum(people.reindex(rows.index).fillna(0), rows["n"] > 0)
    rows = rows.reset_index()
    of_nobody = rows["metric_id"].isin(SHARES["operations"])
    rows["n_people"] = rows["n_people"].astype(float).where(~of_nobody)
    codes = pd.Series(None, index=rows.index, dtype=object)
    basis = rows["metric_id"].map(_denominators()).where(~of_nobody, "accuracy")
    for name, of_basis in rows.groupby(basis):
        codes[of_basis.index] = codes_of(of_basis, raw.suppressed(name))
    # Whom the list withholds with a small group may have nothing of the metric: then one more.
    there = rows[of_nobody & (rows["n"] > 0)].assign(code=codes)
    for _, group in there.groupby(key[:-1]):
        shown = group[group["code"].isna()]
        if len(group) - len(shown) == 1 and len(shown):
            order = shown.sort_values(["n", "dimension_value"])
            codes[order.index[0]] = "suppressed_complementary"
    return _published(rows, codes)


def _denominators() -> pd.Series:
    """By metric the name of its denominator, by which the list of what is suppressed has it."""
    metrics = pd.read_csv(Path(__file__).parents[2] / "seeds" / "metrics.csv")
    return metrics.drop_duplicates("metric_id").set_index("metric_id")["denominator"]


def _rates_by_person(shares: pd.DataFrame) -> pd.DataFrame:
    rows = shares[
        (shares["dimension_name"] == "overall") & shares["person"].notna() & (shares["n"] > 0)
    ]
    rows = rows.drop(columns=GROUP[2:]).rename(columns={"person": "person_key"})
    nothing_hidden = pd.Series(None, index=rows.index, dtype=object)
    return _published(rows, nothing_hidden).assign(
        is_rankable=(rows["n"] >= MIN_TO_RANK).astype(object)
    )


# --- operations -------------------------------------------------------------------------------


def _operations(sample: Sample, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Audits, blindness and turnaround of every group of eligible decisions and method."""
    decisions = sample.decisions[sample.decisions["is_eligible"]]
    audits = verdicts[verdicts["decision_id"].isin(decisions["decision_id"])]
    audits = audits.assign(
        seconds=audits["audited_at"].dt.floor("s") - audits["decided_at"].dt.floor("s")
    )

    def strata(rows: pd.DataFrame) -> pd.Series:
        names = sample.strata["plan_id"] + "|" + sample.strata["stratum_id"]
        return rows["stratum"].map(names).fillna("not_in_frame")

    found, methods = {}, defaultdict(lambda: {"all"})
    if len(audits):
        both = pd.concat([audits.assign(sampling_method="all"), audits], ignore_index=True)
        of = dimensions(both) | {"stratum": strata(both)}
        for group, part in _groups(both, "decided_at", of, ["sampling_method"], has_quarters=False):
            methods[_place(group)[:2]].add(group["sampling_method"])
            seconds = part["seconds"].dt.total_seconds().to_numpy()
            known = part["is_blind"].notna().sum()
            blind = part["is_blind"].fillna(False).astype(bool).sum()
            found[*_place(group), group["sampling_method"]] = {
                "n_audited_decisions": part["decision_id"].nunique(),
                "n_audits": len(part),
                "n_blind_known": known,
                "n_blind": blind,
                "reason_code": None,
                "turnaround_seconds_median": np.quantile(seconds, 0.5, method="inverted_cdf"),
                "turnaround_seconds_p90": np.quantile(seconds, 0.9, method="inverted_cdf"),
            }
    nothing = dict.fromkeys(["n_audited_decisions", "n_audits", "n_blind_known", "n_blind"], 0)
    nothing["reason_code"] = "no_audits"
    rows = []
    of = dimensions(decisions) | {"stratum": strata(decisions)}
    for group, part in _groups(decisions, "decided_at", of, has_quarters=False):
        for method in sorted(methods[_place(group)[:2]]):
            row = nothing | found.get((*_place(group), method), {})
            rows.append(
                group | row | {"sampling_method": method, "n_eligible_decisions": len(part)}
            )
    return _table(rows, ["sampling_method"])


def _completion(raw: RawTables, sample: Sample) -> pd.DataFrame:
    """Planned audits, and what became of them."""
    audits = standing_audits(raw)
    audits = audits[audits["sampling_method"].isin(PROBABILITY)]
    audits = audits.merge(sample.decisions[["decision_id", "decided_at"]], on="decision_id")
    frame = sample.strata
    place = audits.merge(frame, on=["plan_id", "stratum_id"])
    place = place[
        (place["decided_at"] >= place["period_start"]) & (place["decided_at"] < place["period_end"])
    ]
    place["n_begun"] = 1
    place["n_withdrawn"] = place["is_withdrawn"] * 1
    place["n_not_final"] = ((place["audit_status"] != "final") & ~place["is_withdrawn"]) * 1
    place["n_final"] = 1 - place["n_withdrawn"] - place["n_not_final"]
    place["n_counted"] = place["audit_id"].isin(sample.audits["audit_id"]) * 1
    key = ["plan_id", "stratum_id", "period_start"]
    counts = ["n_begun", "n_withdrawn", "n_not_final", "n_final", "n_counted"]
    strata = frame[[*key, "population_size", "planned_sample_size"]].merge(
        place.groupby(key)[counts].sum().reset_index(), on=key, how="left"
    )
    strata = strata.fillna(dict.fromkeys(counts, 0)).assign(scope="stratum", n_strata=1)
    strata = strata.rename(columns={"planned_sample_size": "n_planned"})
    sums = ["population_size", "n_strata", *counts]
    by_plan = strata.groupby(["plan_id", "period_start"])
    plans = by_plan[sums].sum()
    plans["n_planned"] = (
        by_plan["n_planned"].sum(min_count=1).where(by_plan["n_planned"].count() == by_plan.size())
    )
    plans = plans.reset_index().assign(scope="plan", stratum_id="all")
    rows = pd.concat([strata, plans], ignore_index=True)
    rows["n_planned"] = rows["n_planned"].astype(float)
    rows["n_not_begun"] = rows["n_planned"] - rows["n_begun"]
    rows["completion_rate"] = rows["n_final"] / rows["n_planned"].replace(0, np.nan)
    rows["counted_rate"] = rows["n_counted"] / rows["n_planned"].replace(0, np.nan)
    rows["reason_code"] = np.select(
        [rows["n_planned"].isna(), rows["n_planned"] == 0], ["not_planned", "none_planned"], ""
    )
    rows["reason_code"] = rows["reason_code"].astype(object).replace("", None)
    return rows.drop(columns="n_begun")
