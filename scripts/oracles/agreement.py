"""models/rates once more: agreement of raters, by libraries of agreement statistics.

krippendorff gives alpha, statsmodels Cohen's kappa, agreement the rest. None
has the standard error of AC1: that is Gwet's formula (2008) on matrices, which the tests hold
against irrCAC.
"""

import hmac
import math
from collections.abc import Iterator

import krippendorff
import numpy as np
import pandas as pd
from agreement import gwets_gamma, observed_agreement, scotts_pi
from statsmodels.stats.inter_rater import cohens_kappa

from .raw_tables import RawTables

# Where every rating of a group was left out, libraries have nothing to say of it.
SCOPE = {"rates.rater_agreement": "n_ratings > 0"}
SAMPLE_KEY = "sample-data-only"
STRENGTH = {
    "no_action": 0,
    "label": 1,
    "warn": 1,
    "age_restrict": 2,
    "demote": 3,
    "restrict": 4,
    "remove": 5,
    "demonetise": 2,
    "disable": 5,
    "suspend": 6,
    "ban": 7,
}
SEVERITY = {"none": 0, "low": 1, "medium": 2, "high": 3, "severe": 4}
KEYS = ["rating_source", "label_kind", "period_type", "period_starts_on"]
KEYS += ["dimension_name", "dimension_value"]
ITEM = ["rating_source", "session_id", "item_id"]
RATING = [*ITEM, "rating_id", "rater_id", "action_code", "policy_id", "severity", "rated_at"]
COUNTS = ["n_items", "n", "n_ratings", "n_raters", "n_labels"]
COEFFICIENTS = [
    "percent_agreement",
    "gwets_ac1",
    "krippendorffs_alpha_nominal",
    "krippendorffs_alpha_ordinal",
    "fleiss_kappa",
    "cohens_kappa",
]
ERRORS = ["percent_agreement_standard_error", "gwets_ac1_standard_error"]


def coefficients(ratings: pd.DataFrame) -> dict[str, float]:
    """Every coefficient of one group of ratings; NaN where it is not defined.

    Args:
        ratings: one row per item and rater who gave a label, with the columns item, rater, label
            and rank (the label's place in its order; null where it has none).
    """
    found = dict.fromkeys([*COEFFICIENTS, *ERRORS], math.nan)
    counts = pd.crosstab(ratings["item"], ratings["label"]).to_numpy(float)
    paired = counts[counts.sum(axis=1) > 1]
    used = paired[:, paired.sum(axis=0) > 0]
    if len(paired):
        size = paired.sum(axis=1)
        shares = (paired * (paired - 1)).sum(axis=1) / (size * (size - 1))
        found["percent_agreement"] = observed_agreement(paired)
        if len(paired) > 1:
            found["percent_agreement_standard_error"] = shares.std(ddof=1) / math.sqrt(len(paired))
        if counts.shape[1] > 1:
            found["gwets_ac1"] = gwets_gamma(counts)
            found["gwets_ac1_standard_error"] = ac1_standard_error(counts)
    if used.shape[1] > 1:
        found["fleiss_kappa"] = scotts_pi(used)
        found["krippendorffs_alpha_nominal"] = krippendorff.alpha(
            value_counts=used, level_of_measurement="nominal"
        )
    ranked = ratings.dropna(subset="rank")
    grades = pd.crosstab(ranked["item"], ranked["rank"])
    grades = grades[grades.sum(axis=1) > 1]
    grades = grades.loc[:, grades.sum() > 0]
    if grades.shape[1] > 1:
        found["krippendorffs_alpha_ordinal"] = krippendorff.alpha(
            value_counts=grades.to_numpy(), level_of_measurement="ordinal"
        )
    if ratings["rater"].nunique() == 2:
        by_rater = ratings.pivot(index="item", columns="rater", values="label").dropna()
        labels = sorted(set(by_rater.to_numpy().ravel()))
        if len(labels) > 1:
            first, second = (pd.Categorical(by_rater[name], labels) for name in by_rater)
            table = pd.crosstab(first, second, dropna=False).to_numpy(float)
            found["cohens_kappa"] = cohens_kappa(table, return_results=False)
    return found


def ac1_standard_error(counts: np.ndarray) -> float:
    """Gwet's standard error of AC1: items are the sample, raters are not.

    Args:
        counts: one row per item and one column per label that any rater gave.
    """
    n, q = counts.shape
    if n == 1:
        return math.nan
    size = counts.sum(axis=1)
    is_paired = size > 1
    n_pairs = np.where(is_paired, size * (size - 1), 1)
    item_agreement = (counts * (counts - 1)).sum(axis=1) / n_pairs
    shares = (counts / size[:, None]).mean(axis=0)
    pe = (shares * (1 - shares)).sum() / (q - 1)
    ac1 = (item_agreement[is_paired].mean() - pe) / (1 - pe)
    seen = n / is_paired.sum() * (item_agreement - pe * is_paired) / (1 - pe)
    item_pe = counts @ (1 - shares) / (q - 1) / size
    linear = seen - 2 * (1 - ac1) * (item_pe - pe) / (1 - pe)
    return math.sqrt(((linear - ac1) ** 2).sum() / (n * (n - 1)))


def pseudonym(person_id: str) -> str:
    """A person as the marts name it, by the sample key."""
    return hmac.digest(SAMPLE_KEY.encode(), person_id.encode(), "sha256").hex()[:16]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The mart of agreement, by name, from the raw tables."""
    labels = _all_labels(raw)
    compared = labels[labels["is_compared"] & (labels["number"] == 1)]
    agreement = []
    for key, group in _groups(compared, "item_rated_on"):
        raters_of_item = group.groupby("item").size()
        counts = {
            "n_items": len(raters_of_item),
            "n": int((raters_of_item > 1).sum()),
            "n_ratings": len(group),
            "n_raters": group["rater"].nunique(),
            "n_labels": group["label"].nunique(),
        }
        found = coefficients(group)
        for name in COEFFICIENTS:
            error = found.get(f"{name}_standard_error", math.nan)
            one = {"coefficient": name, "estimate": found[name], "standard_error": error}
            agreement.append(key | counts | one)
    columns = ["coefficient", *KEYS, *COUNTS, "estimate", "standard_error"]
    found = pd.DataFrame(agreement, columns=columns)
    if len(found):
        sources = found["rating_source"].unique()
        listed = pd.concat(
            raw.suppressed(f"agreement {source}").assign(rating_source=source) for source in sources
        )
        key = [name for name in KEYS if name != "label_kind"]
        is_listed = pd.MultiIndex.from_frame(found[key]).isin(pd.MultiIndex.from_frame(listed[key]))
        found = found[~is_listed]
    a_day = {"period_starts_on": "datetime64[us]"}
    return {"rates.rater_agreement": found.astype(a_day)}


def repeats(raw: RawTables) -> pd.DataFrame:
    """Labels of an item that its rater gave before: with it the label `before`."""
    labels = _all_labels(raw)
    return labels[labels["number"] > 1]


def _all_labels(raw: RawTables) -> pd.DataFrame:
    return _labels(_all_ratings(raw))


def _all_ratings(raw: RawTables) -> pd.DataFrame:
    ratings = pd.concat([_sessions(raw), _reviews(raw)], ignore_index=True)
    ratings = ratings.assign(
        rater=ratings["rater_id"].map(pseudonym),
        item=ratings["session_id"] + "|" + ratings["item_id"],
        policy_id=ratings["policy_id"].where(ratings["policy_id"] != "", None),
        rated_at=pd.to_datetime(ratings["rated_at"]),
    )
    ratings["rated_on"] = ratings["rated_at"].dt.normalize()
    ratings["item_rated_on"] = ratings.groupby(ITEM)["rated_on"].transform("min")
    return _with_place(_with_policy(ratings), raw)


def _sessions(raw: RawTables) -> pd.DataFrame:
    """One row per rating of a calibration session."""
    ratings = raw.latest(
        "calibration_ratings",
        ["session_id", "item_id", "rater_id"],
        ["action_code", "policy_id", "severity", "rated_at"],
    )
    ratings = ratings.assign(rating_source="calibration", rating_id=ratings["session_id"])
    return ratings[RATING].assign(item_policy=None)


def _reviews(raw: RawTables) -> pd.DataFrame:
    """One row per audit of a decision that has several, as its last final revision says."""
    audits = raw.latest(
        "audits",
        ["audit_id", "revision_no"],
        [
            *("decision_id", "auditor_id", "truth_action_code", "truth_policy_id"),
            *("severity", "audit_status", "audited_at"),
        ],
    )
    settled = audits[audits["audit_status"] != "draft"].sort_values("revision_no")
    last_status = settled.groupby("audit_id")["audit_status"].last()
    final = settled[settled["audit_status"] == "final"].drop_duplicates("audit_id", keep="last")
    # A withdrawal after it takes the audit out; so does not knowing who judged.
    final = final[(final["audit_id"].map(last_status) == "final") & final["auditor_id"].notna()]
    final = final[final["auditor_id"] != ""]
    final = final[final.groupby("decision_id")["audit_id"].transform("size") > 1]
    decisions = raw.latest("decisions", ["decision_id"], ["primary_policy_id"])
    reviews = final.merge(decisions, on="decision_id", how="left").rename(
        columns={
            "audit_id": "rating_id",
            "decision_id": "item_id",
            "auditor_id": "rater_id",
            "truth_action_code": "action_code",
            "truth_policy_id": "policy_id",
            "audited_at": "rated_at",
            "primary_policy_id": "item_policy",
        }
    )
    reviews = reviews.assign(rating_source="double_review", session_id="audits")
    return reviews[[*RATING, "item_policy"]]


def _labels(ratings: pd.DataFrame) -> pd.DataFrame:
    """One row per rating and kind of label that it gives, numbered by rater and item in time."""
    strength = ratings["action_code"].map(STRENGTH).astype(float)
    enforces = strength > 0
    kinds = {
        "action_group": (enforces.map({True: "enforced", False: "not_enforced"}), enforces * 1.0),
        "action_code": (ratings["action_code"], strength),
        "policy": (ratings["policy_id"].where(enforces, "no_policy"), math.nan),
        "severity": (ratings["severity"], ratings["severity"].map(SEVERITY)),
    }
    labels = pd.concat(
        [
            ratings.assign(label_kind=kind, label=label, rank=rank)[
                strength.notna() & label.notna()
            ]
            for kind, (label, rank) in kinds.items()
        ],
        ignore_index=True,
    )
    labels = labels.sort_values(["rated_at", "session_id", "rating_id"], kind="stable")
    by_rater = labels.groupby(["rating_source", "label_kind", "item_id", "rater"])
    labels["number"] = by_rater.cumcount() + 1
    labels["before"] = by_rater["label"].shift()
    n_raters = labels.groupby([*ITEM, "label_kind"])["rater"].transform("nunique")
    return labels.assign(is_compared=(labels["rating_source"] == "calibration") | (n_raters > 1))


def _with_place(ratings: pd.DataFrame, raw: RawTables) -> pd.DataFrame:
    """Add the site and the language of the rater, by the roster in force at the rating."""
    roster = raw.latest("roster", ["person_id", "valid_from"], ["site", "language", "valid_to"])
    rows = ratings.reset_index(names="row").merge(
        roster.rename(columns={"person_id": "rater_id"}), on="rater_id"
    )
    begins, ends = pd.to_datetime(rows["valid_from"]), pd.to_datetime(rows["valid_to"])
    rows = rows[(rows["rated_at"] >= begins) & (ends.isna() | (rows["rated_at"] < ends))]
    ratings = ratings.join(rows.set_index("row")[["site", "language"]])
    places = ratings[["site", "language"]].astype(object)
    return ratings.assign(**places.where(places.notna(), "unknown"))


def _with_policy(ratings: pd.DataFrame) -> pd.DataFrame:
    """Add the item's policy: of the decision, or that which most raters of the item named."""
    votes = ratings.dropna(subset="policy_id").groupby([*ITEM, "policy_id"]).size()
    votes = votes.reset_index(name="n").sort_values(["n", "policy_id"], ascending=[False, True])
    most = votes.drop_duplicates(ITEM).rename(columns={"policy_id": "policy"}).drop(columns="n")
    ratings = ratings.merge(most, on=ITEM, how="left")
    is_review = ratings["rating_source"] == "double_review"
    policy = ratings["policy"].where(~is_review, ratings["item_policy"])
    return ratings.assign(policy=policy.where(policy.notna() & (policy != ""), "no_policy"))


def _groups(labels: pd.DataFrame, day: str) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """Every group that a mart has a row for: its key and its ratings."""
    on = labels[day]
    periods = {
        "week": on - pd.to_timedelta(on.dt.day_of_week, unit="D"),
        "month": on - pd.to_timedelta(on.dt.day - 1, unit="D"),
    }
    dimensions = {
        "overall": pd.Series("all", labels.index),
        "session": labels["session_id"],
        "policy": labels["policy"],
        "site": labels["site"],
        "language": labels["language"],
    }
    for period, starts in periods.items():
        for name, values in dimensions.items():
            by = ["rating_source", "label_kind", "starts", "value"]
            for (source, kind, start, value), group in labels.assign(
                starts=starts, value=values
            ).groupby(by):
                key = [source, kind, period, start, name, value]
                yield dict(zip(KEYS, key, strict=True)), group
