"""The marts of models/explain once more: what is left out, where errors are, groups in one mix.

And why accuracy changed: the parts of its change by rate and mix, in numpy.
"""

import math

import numpy as np
import pandas as pd

from .accuracy import Terms, by_period, dimensions, periods_of, rates
from .disclosure import MIN_PEOPLE, OF_PEOPLE, codes_of
from .intervals import PSEUDO_AUDITS
from .people import (
    MAX_MISFRAMED,
    MIN_AUDITS,
    MIN_EFFECTIVE_N,
    PERIOD,
    Design,
    as_texts,
    audits_of_people,
)
from .raw_tables import RawTables
from .sample import (
    NO_DECISION,
    STRENGTH,
    Sample,
    known_at,
    read_sample,
    standing_audits,
    why_left_out,
)

MIN_COMPARABLE = 0.8
GROUP = ["dimension_name", "dimension_value"]
SIDES = ["earlier", "later"]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the marts that explain rates.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    sample = read_sample(raw)
    found = {
        "explain.exclusions": exclusions(sample, raw),
        "explain.policy_confusion": confusion(sample, raw),
        "explain.error_pareto": pareto(sample, raw),
    }
    if len(sample.audits):
        people = audits_of_people(raw, sample, known_at(raw))
        shown, compared = comparisons(sample, people, raw.suppressed("accuracy"))
        found["explain.standardisation_cells"] = as_texts(shown)
        found["explain.accuracy_compared"] = as_texts(compared)
        found["explain.accuracy_change"] = changes(sample, raw)
    return found


def exclusions(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Decisions and audits that are left out, by day too, and why."""
    decisions, audits = sample.decisions, standing_audits(raw)
    actions = decisions["action_code"]
    reasons = {
        "unknown_action_code": ~actions.isin([*STRENGTH, *NO_DECISION]),
        "automatic_close": actions == "auto_close",
        "reversal": actions == "reverse",
        "no_decision_made": actions.isin(["skip", "escalate"]),
        "appeal_answered": actions == "uphold",
        "decided_by_system": ~decisions["is_eligible"],
    }
    why = np.select(list(reasons.values()), list(reasons), "")
    audits["reason"] = why_left_out(audits, sample)
    context = decisions.drop(columns=["has_enforced", "stratum"])
    both = {
        "decision": decisions.assign(reason=why),
        "audit": audits.merge(context, on="decision_id"),
    }
    key = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
    parts = []
    for applies_to, rows in both.items():
        left_out = rows[rows["reason"] != ""]
        days = {"day": left_out["decided_at"].dt.normalize()}
        for period_type, starts in (days | periods_of(left_out["decided_at"])).items():
            for name, value in dimensions(left_out).items():
                if period_type == "day" and name in OF_PEOPLE:
                    continue
                by = [starts.rename(key[1]), value.rename(key[3]), left_out["reason"]]
                part = left_out.groupby(by).size().rename("n_excluded").reset_index()
                part = part.rename(columns={"reason": "reason_code"})
                parts.append(
                    part.assign(applies_to=applies_to, period_type=period_type, dimension_name=name)
                )
    found = pd.concat(parts, ignore_index=True)
    codes = codes_of(found, raw.suppressed("accuracy"))
    found["withheld_reason"] = codes.where(found["dimension_name"].isin(OF_PEOPLE))
    # One suppressed group alone with a reason is what a total leaves of it.
    of_reason = [*key[:3], "reason_code"]
    n_suppressed = found["withheld_reason"].notna().groupby([found[name] for name in of_reason])
    alone = (n_suppressed.transform("sum") == 1) & found["withheld_reason"].isna()
    found.loc[alone, "withheld_reason"] = "suppressed_complementary"
    found["n_excluded"] = found["n_excluded"].where(found["withheld_reason"].isna())
    return found


def or_suppressed(values: pd.Series, raw: RawTables, start: pd.Timestamp, name: str) -> pd.Series:
    """The groups of a month, all that are suppressed as one."""
    listed = raw.suppressed("accuracy")
    here = listed[
        (listed["period_type"] == "month")
        & (listed["period_starts_on"] == start)
        & (listed["dimension_name"] == name)
    ]
    return values.mask(values.isin(here["dimension_value"]), "suppressed")


def confusion(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Decided and true policy of every month's audits, as shares of its decisions."""
    parts = []
    for period_type, start, audits, own in by_period(sample):
        if period_type != "month":
            continue
        decided = audits["decided_policy_id"].fillna("no_policy")
        true = audits["truth_policy_id"].fillna("no_policy")
        decided = decided.where(audits["has_enforced"].astype(bool), "no_violation")
        true = true.where(audits["is_violating"].fillna(False).astype(bool), "no_violation")
        decided, true = (or_suppressed(side, raw, start, "policy") for side in (decided, true))
        judged = own & (audits["error_class"] != "technical")
        group = pd.Series("all", index=audits.index).where(judged)
        one = pd.Series(1.0, index=audits.index)
        for (ours, theirs), part in audits[judged].groupby([decided[judged], true[judged]]):
            here = pd.Series(audits.index.isin(part.index), index=audits.index) * 1.0
            row = rates(sample, audits, group, Terms(here, one, one)).iloc[0]
            parts.append(
                {
                    "month_starts_on": start, "decided_policy_id": ours, "true_policy_id": theirs,
                    "n_audits": len(part), "weighted_decisions": part["weight"].sum(),
                    "estimate": row["estimate"],
                    "standard_error": row["standard_error"],
                    "ci_low": row["ci_low"], "ci_high": row["ci_high"],
                }
            )  # fmt: skip
    found = pd.DataFrame(parts)
    for side in ("decided", "true"):
        whole = found.groupby(["month_starts_on", f"{side}_policy_id"])["weighted_decisions"]
        found[f"share_of_{side}"] = found["weighted_decisions"] / whole.transform("sum")
    return found


def pareto(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Errors of every month by policy, queue and reason, the most first."""
    parts = []
    for period_type, start, audits, own in by_period(sample):
        if period_type != "month":
            continue
        group = pd.Series("all", index=audits.index).where(own)
        one = pd.Series(1.0, index=audits.index)
        errors = audits[own & (audits["error_class"] != "correct")]
        for (name, _), (of_group, of_reason) in _pareto_groups(errors).items():
            values = [or_suppressed(of_group, raw, start, name), of_reason]
            rows = []
            for (which, reason), part in errors.groupby(values):
                here = pd.Series(audits.index.isin(part.index), index=audits.index) * 1.0
                row = rates(sample, audits, group, Terms(here, one, one)).iloc[0]
                rows.append(
                    {
                        "month_starts_on": start, "group_name": name, "group_value": which,
                        "reason": reason,
                        "n_errors": len(part), "estimated_errors": part["weight"].sum(),
                        "estimate": row["estimate"],
                        "standard_error": row["standard_error"],
                        "ci_low": row["ci_low"], "ci_high": row["ci_high"],
                    }
                )  # fmt: skip
            if rows:
                table = pd.DataFrame(rows)
                table["share_of_errors"] = (
                    table["estimated_errors"] / table["estimated_errors"].sum()
                )
                parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _pareto_groups(errors: pd.DataFrame) -> dict[tuple[str, str], list[pd.Series]]:
    missed = errors["error_class"] == "false_negative"
    policy = errors["decided_policy_id"].mask(missed, errors["truth_policy_id"]).fillna("no_policy")
    parent = errors["decided_policy_parent"].mask(missed, errors["truth_policy_parent"])
    is_wrong = errors["error_class"] == "wrong_selection"
    distance = pd.Series("other_parent", index=errors.index)
    distance[errors["decided_policy_parent"] == errors["truth_policy_parent"]] = "same_parent"
    distance[errors["decided_policy_id"] == errors["truth_policy_id"]] = "same_policy"
    distance[errors["decided_policy_id"].isna()] = "no_policy_named"
    strength = errors["decided_action_code"].map(STRENGTH) - errors["truth_action_code"].map(
        STRENGTH
    )
    strict = np.sign(strength).map({1.0: "too_strict", -1.0: "too_lenient", 0.0: "as_strict"})
    selection = "wrong_selection, " + distance + ", " + strict.fillna("unknown")
    reason = errors["error_class"].mask(is_wrong, selection)
    queue = errors["queue_id"].fillna("unknown")
    groups = {"policy": policy, "policy_parent": parent.fillna(policy), "queue": queue}
    every = pd.Series("all", index=errors.index)
    return {(name, "all"): [value, every] for name, value in groups.items()} | {
        (name, "by reason"): [value, reason] for name, value in {"overall": every, **groups}.items()
    }


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
        "frame_disagrees": max(design.misframed_share(part) for part in (own, here))
        > MAX_MISFRAMED,
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


def changes(sample: Sample, raw: RawTables) -> pd.DataFrame:
    """Each week and month beside the one before: by rate and by mix, in each dimension."""
    decisions = sample.decisions[
        sample.decisions["is_eligible"] & (sample.decisions["stratum"] >= 0)
    ]
    audits = sample.audits[sample.audits["stratum"] >= 0]
    audited = sample.strata.index[sample.strata["n_audits"] > 0]
    listed = raw.suppressed("accuracy")
    cells = []
    for rows, count in ((decisions, "n_decisions"), (audits, "n")):
        right = rows["error_class"] == "correct" if count == "n" else False
        for period_type, starts in periods_of(rows["decided_at"]).items():
            for name, value in dimensions(rows).items():
                part = pd.DataFrame(
                    {
                        "period_starts_on": starts, "dimension_value": value, "k": right * 1.0,
                        "stratum": rows["stratum"], count: 1.0,
                    }
                )  # fmt: skip
                cells.append(part.assign(period_type=period_type, dimension_name=name))
    cells = pd.concat(cells, ignore_index=True).fillna({"n_decisions": 0, "n": 0})
    found = [pd.DataFrame(columns=["comparison_id", *GROUP, "row_type"])]
    for period_type, here in cells.groupby("period_type"):
        starts = sorted(here.loc[here["n"] > 0, "period_starts_on"].unique())
        one = pd.Timedelta(weeks=1) if period_type == "week" else pd.DateOffset(months=1)
        for later in starts:
            sides = {"earlier": later - one, "later": later}
            if sides["earlier"] not in starts:
                continue
            both = here[here["period_starts_on"].isin(sides.values())]
            spoken_for = both[both["stratum"].isin(audited)].groupby("period_starts_on")
            if (spoken_for["n_decisions"].sum() == 0).any():
                continue
            both = both.assign(side=np.where(both["period_starts_on"] == later, "later", "earlier"))
            hidden = listed[
                (listed["period_type"] == period_type)
                & listed["period_starts_on"].isin(sides.values())
            ]
            is_hidden = pd.MultiIndex.from_frame(both[GROUP]).isin(
                pd.MultiIndex.from_frame(hidden[GROUP])
            )
            both["dimension_value"] = both["dimension_value"].mask(is_hidden, "suppressed")
            whole = both[both["dimension_name"] == "overall"]
            for name, part in both.groupby("dimension_name"):
                if name not in ("overall", "confidence"):
                    rows = decompose(part, whole, sample.strata)
                    key = f"{period_type} {later:%Y-%m-%d}"
                    found.append(rows.assign(comparison_id=key, dimension_name=name))
    return pd.concat(found, ignore_index=True)


def decompose(cells: pd.DataFrame, whole: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """Split the change of a weighted rate between two periods into rate and mix (Kitagawa).

    Args:
        cells: side, dimension_value, stratum, and what adds up: n_decisions, n (audits), k (those
            that are right).
        whole: the same of all decisions.
        strata: by number: population_size, n_audits, weight, pool and is_certain.

    Returns:
        Rows as of accuracy_change: the segments, sampling_of_the_mix and the total.
    """
    names = np.array(sorted(cells["dimension_value"].unique()))
    audited = strata.index[strata["n_audits"] > 0]
    weight = strata.loc[audited, "weight"].to_numpy()

    def table(side: str, column: str) -> np.ndarray:
        here = cells[cells["side"] == side]
        sums = here.pivot_table(
            index="dimension_value", columns="stratum", values=column, aggfunc="sum"
        )
        return sums.reindex(index=names, columns=audited).fillna(0).to_numpy()

    decisions = [table(side, "n_decisions") for side in SIDES]
    n, k = ([table(side, column) for side in SIDES] for column in ("n", "k"))
    has_audits = np.array([(each > 0).any(axis=1) for each in n])
    is_rated = has_audits.any(axis=0)
    all_shares = [each.sum(axis=1) / each.sum() for each in decisions]
    names, has_audits = names[is_rated], has_audits[:, is_rated]
    decisions, n, k = ([each[is_rated] for each in of] for of in (decisions, n, k))
    share = np.array([each.sum(axis=1) / each.sum() for each in decisions])
    size = np.array([(each * weight).sum(axis=1) for each in n])
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.array([(each * weight).sum(axis=1) for each in k]) / size
    rate = np.where(np.isnan(own), own[::-1], own)
    published = []
    for side in SIDES:
        here = whole[whole["side"] == side]
        heavy = here["stratum"].map(strata["weight"])
        published.append((heavy * here["k"]).sum() / (heavy * here["n"]).sum())

    both = has_audits.all(axis=0)
    change, mean = share[1] - share[0], share.mean(axis=0)
    level = share * rate
    of_rates = np.where(both, mean * (rate[1] - rate[0]), 0)
    of_mixes = change * (rate.mean(axis=0) - level.sum() / 2)

    of_rate = np.where(both, mean, 0)
    of_mix = change * np.where(both, 0.5, 1)
    on_level = np.where(both, share / 2, mean)
    variance, sums = np.zeros_like(share), np.zeros(2)
    for i, p in enumerate(published):
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(n[i] > 0, weight / size[i][:, None], 0)
        residuals = _residuals(unit, n[i], k[i], rate[i][:, None], p)
        variance[i], of_sums = _variances(
            *residuals, n[i] > 0, np.array([of_rate, of_mix]), strata.loc[audited]
        )
        sums += of_sums

    spread = (on_level**2 * variance).sum()
    own_part = np.where(both, 0.5, 1)
    of_own = (variance * own_part * (own_part - 2 * on_level)).sum(axis=0)
    rows = pd.DataFrame(
        {
            "dimension_value": names,
            "row_type": "segment",
            "segment_status": np.select(
                [
                    both,
                    decisions[0].sum(axis=1) == 0,
                    decisions[1].sum(axis=1) == 0,
                    ~has_audits[0],
                ],
                ["in_both", "new", "vanished", "not_audited_earlier"],
                "not_audited_later",
            ),
            **{f"n_audits_{side}": n[i].sum(axis=1) for i, side in enumerate(SIDES)},
            **{f"share_{side}": share[i] for i, side in enumerate(SIDES)},
            **{f"rate_{side}": own[i] for i, side in enumerate(SIDES)},
            "rate_contribution": of_rates,
            "rate_contribution_standard_error": np.where(
                both, np.sqrt(mean**2 * variance.sum(axis=0)), np.nan
            ),
            "mix_contribution": of_mixes,
            "mix_contribution_standard_error": abs(change)
            * np.sqrt(np.maximum(spread + of_own, 0)),
            "contribution": of_rates + of_mixes,
        }
    )
    whole_change = published[1] - published[0]
    parts = rows["contribution"].sum()
    rest = {"row_type": "sampling_of_the_mix", "dimension_value": "sampling_of_the_mix"}
    total = {"row_type": "total", "dimension_value": "all", "contribution": whole_change}
    for i, side in enumerate(SIDES):
        total |= {
            f"n_audits_{side}": n[i].sum(),
            f"share_{side}": all_shares[i][is_rated].sum(),
            f"rate_{side}": published[i],
        }
    for i, name in enumerate(("rate_contribution", "mix_contribution")):
        total |= {name: rows[name].sum(), f"{name}_standard_error": np.sqrt(sums[i])}
    return pd.concat(
        [rows, pd.DataFrame([rest | {"contribution": whole_change - parts}, total])],
        ignore_index=True,
    )


def _residuals(
    unit: np.ndarray, n: np.ndarray, k: np.ndarray, rate: np.ndarray, p: float
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of a stratum's audits in a segment, and their squares, beside two of the whole."""
    drawn = n / (n + PSEUDO_AUDITS)
    squares = k * (1 - rate) ** 2 + (n - k) * rate**2 + PSEUDO_AUDITS * p * (1 - p)
    return drawn * unit * (k - n * rate), drawn * unit**2 * squares


def _variances(
    u: np.ndarray, uu: np.ndarray, is_there: np.ndarray, of: np.ndarray, strata: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The variance of each segment's rate, and of sums of the rates with these coefficients."""
    alone, sums = np.zeros(len(u)), np.zeros(len(of))
    # Where nothing varies at all, how much it might was not seen.
    is_seen = (uu > 0).any()
    for pool in strata["pool"].unique():
        here = (strata["pool"] == pool).to_numpy()
        if not is_there[:, here].any():
            continue
        audits, population = strata.loc[here, ["n_audits", "population_size"]].sum()
        factor = math.nan if audits == 1 else (1 - audits / population) * audits / (audits - 1)
        factor = factor if is_seen else math.nan
        factor = 0 if strata.loc[here, "is_certain"].all() else factor
        one, two = u[:, here].sum(axis=1), uu[:, here].sum(axis=1)
        touched = is_there[:, here].any(axis=1)
        alone += np.where(touched, factor * _left(two, one**2 / audits), 0)
        sums += factor * _left((of**2 * two).sum(axis=1), (of * one).sum(axis=1) ** 2 / audits)
    return alone, sums


def _left(whole: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """A difference, or 0 where it is rounding."""
    return np.where(whole - taken > 1e-12 * whole, whole - taken, 0)
