"""Why a published accuracy is another one today: the difference, split over its causes.

A weighted rate of a slice is sum w y / sum w over its audits, w = N_h / n_h. Between the published
audits and today's each change of an audit or a stratum has one cause. For a set of causes the rate
is worked out with their changes made and the others not; a cause's share is the average, over all
orders in which the causes can be taken, of what it changes when its turn comes (Shapley). The
shares add up to the difference exactly, whatever the order.
"""

from dataclasses import dataclass, field
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

CAUSES = {
    "late_audit": "Audits that were not final when the number was published.",
    "late_decision": "Audits of decisions that were not known then.",
    "revised_audit": "A later revision of an audit says otherwise, or withdraws it.",
    "dispute": "A dispute was resolved, or its outcome changed.",
    "corrected_decision": "The decision was corrected, and counts elsewhere or no longer.",
    "frame_changed": "The frame of a stratum came late, or counts other decisions.",
    "definition_changed": "What counts, or what is an error, is defined otherwise.",
    "code_changed": "Nothing that was delivered or defined changed: the code did.",
}
# Metrics, by id and version, that are the weighted share of audits with the first error class, of
# all but those with the second.
CLASSES = {
    ("accuracy", 1): ("correct", None),
    ("accuracy", 2): ("correct", "technical"),
    ("wrong_selection_rate", 1): ("wrong_selection", None),
    ("technical_error_rate", 1): ("technical", None),
    ("false_positive_share", 1): ("false_positive", None),
    ("false_negative_share", 1): ("false_negative", None),
}
DIMENSIONS = {
    "overall": None,
    "queue": ("queue_id", "unknown"),
    "policy": ("policy_id", "no_policy"),
    "language": ("language", "unknown"),
    "region": ("region", "unknown"),
    "item_type": ("item_type", "unknown"),
    "decided_by": ("decided_by_type", "unknown"),
}
OF_THE_DECISION = [
    "decision_recorded_at", "decided_on", "queue_id", "policy_id", "decided_by_type", "language",
    "region", "item_type",
]  # fmt: skip
# Why an audit was left out before, where it counts now, and the other way round.
EXCLUDED = {
    "not_final": "late_audit",
    "truth_missing": "revised_audit",
    "withdrawn": "revised_audit",
    "no_frame": "frame_changed",
    "decision_not_eligible": "corrected_decision",
    "self_audit": "corrected_decision",
    "repeated_audit": "late_audit",
}
NONE = ""


@dataclass
class Restatement:
    """How a slice's rate moved, and why.

    Attributes:
        published, current: the rate then and now, recomputed from the audits.
        shares: {cause: its part of current - published}.
        rows: {cause: the ids of the audits that changed}.
    """

    published: float
    current: float
    shares: dict[str, float]
    rows: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Changes:
    """All audits of two snapshots side by side, and the causes of their changes.

    Attributes:
        audits: a row per audit, columns of both snapshots (suffix _then, _now), and causes:
            counts_cause (why it counts now and did not, or the other way round), revision_cause,
            dispute_cause, decision_cause.
        populations: a row per stratum: its size then and now.
    """

    audits: pd.DataFrame
    populations: pd.DataFrame


def compare(then: pd.DataFrame, now: pd.DataFrame, *, is_code: bool) -> Changes:
    """Put two snapshots of audits side by side, with a cause for each change.

    Args:
        then: the audits behind a publication, as the ledger has them.
        now: today's.
        is_code: True where the code changed and the definitions did not: a change that no row
            explains is then its doing.
    """
    unexplained = "code_changed" if is_code else "definition_changed"
    both = then.merge(now, on="audit_id", how="outer", suffixes=("_then", "_now"), indicator=True)
    for when in ("then", "now"):
        known = both["_merge"].isin(["both", "left_only" if when == "then" else "right_only"])
        both[f"counts_{when}"] = known & both[f"exclusion_reason_{when}"].isna()
        both[f"is_known_{when}"] = known
        both[f"is_overturned_{when}"] = (
            both[f"is_overturned_{when}"].astype("boolean").fillna(False)
        )
    is_both = both["_merge"] == "both"

    def changed(names: list[str]) -> pd.Series:
        different = pd.Series(False, both.index)
        for name in names:
            one, other = both[f"{name}_then"], both[f"{name}_now"]
            different |= ~((one == other).fillna(False) | (one.isna() & other.isna()))
        return different & is_both

    # To withdraw an audit need not be a further revision.
    withdrawn = changed(["exclusion_reason"]) & (
        (both["exclusion_reason_then"] == "withdrawn")
        | (both["exclusion_reason_now"] == "withdrawn")
    )
    revised = changed(["revision_no"]) | withdrawn
    found = changed(["found_error_class"])
    # Overturned then and now, and otherwise: the dispute's own finding changed.
    disputed = changed(["is_overturned"]) | (
        changed(["error_class"]) & both["is_overturned_then"] & both["is_overturned_now"]
    )
    decision = changed(OF_THE_DECISION)
    both["revision_cause"] = np.select(
        [found & revised, found & ~revised], ["revised_audit", unexplained], NONE
    )
    both["dispute_cause"] = np.where(disputed, "dispute", NONE)
    both["decision_cause"] = np.where(decision, "corrected_decision", NONE)
    moved = changed(["stratum_key"]) & ~decision
    both.loc[moved, "decision_cause"] = "frame_changed"

    switches = both["counts_then"] != both["counts_now"]
    reason = both["exclusion_reason_then"].where(both["counts_now"], both["exclusion_reason_now"])
    cause = reason.map(EXCLUDED).fillna(unexplained)
    # It was there, and counts otherwise although nothing of it changed.
    same = is_both & ~(revised | decision | disputed) & ~reason.isin(
        ["no_frame", "repeated_audit", "not_final"]
    )  # fmt: skip
    cause = cause.mask(same, unexplained)
    new = both["_merge"] == "right_only"
    cause = cause.mask(new, "late_audit")
    cause = cause.mask(both["_merge"] == "left_only", unexplained)
    both["counts_cause"] = np.where(switches, cause, NONE)
    # A decision that no audit knew of then: it came late, and its audits could not count.
    unknown = is_both & both["decided_on_then"].isna() & both["decided_on_now"].notna()
    both.loc[unknown & switches, "counts_cause"] = "late_decision"
    both.loc[unknown, "decision_cause"] = NONE

    populations = pd.concat(
        [
            both.loc[both[f"stratum_key_{when}"].notna(),
                     [f"stratum_key_{when}", f"population_size_{when}"]]
            .set_axis(["stratum_key", "population"], axis=1)
            .drop_duplicates("stratum_key")
            .set_index("stratum_key")["population"]
            .rename(when)
            for when in ("then", "now")
        ],
        axis=1,
    )  # fmt: skip
    populations["then"] = populations["then"].fillna(populations["now"])
    populations["now"] = populations["now"].fillna(populations["then"])
    return Changes(both, populations)


class Slice:
    """The audits that a rate of one slice is made of, then and now, ready to be valued."""

    def __init__(  # noqa: PLR0917 a slice has that many parts
        self, changes: Changes, metric: tuple[str, int], first_day: object, last_day: object,
        dimension: str, value: str,
    ) -> None:  # fmt: skip
        """Find the strata that the slice touches, then or now, and keep their audits."""
        rows = changes.audits
        days = pd.Timestamp(first_day), pd.Timestamp(last_day)

        def member(when: str) -> pd.Series:
            day = pd.to_datetime(rows[f"decided_on_{when}"])
            inside = (day >= days[0]) & (day <= days[1])
            column = DIMENSIONS[dimension]
            if column is not None:
                name, missing = column
                inside &= rows[f"{name}_{when}"].fillna(missing) == value
            return inside & rows[f"is_known_{when}"]

        members = {when: member(when) for when in ("then", "now")}
        strata = set()
        for when, inside in members.items():
            strata |= set(rows.loc[inside, f"stratum_key_{when}"].dropna())
        kept = rows["stratum_key_then"].isin(strata) | rows["stratum_key_now"].isin(strata)
        self.rows = rows[kept]
        self.keys = sorted(
            set(self.rows["stratum_key_then"].dropna()) | set(self.rows["stratum_key_now"].dropna())
        )
        place = {key: i for i, key in enumerate(self.keys)}
        self.member = {when: inside[kept].to_numpy() for when, inside in members.items()}
        self.stratum = {
            when: self.rows[f"stratum_key_{when}"].map(place).fillna(-1).astype(int).to_numpy()
            for when in ("then", "now")
        }
        sizes = changes.populations.reindex(self.keys)
        self.size = {when: sizes[when].to_numpy(float) for when in ("then", "now")}
        kept_class, left_out = CLASSES[metric]
        # What each audit adds to the numerator and to the denominator.
        self.terms = {
            (kind, when): np.array(
                [
                    self.rows[f"{kind}_{when}"] == kept_class,
                    self.rows[f"{kind}_{when}"] != left_out,
                ],
                float,
            )
            for kind in ("error_class", "found_error_class")
            for when in ("then", "now")
        }
        self.overturned = {
            when: self.rows[f"is_overturned_{when}"].to_numpy(bool) for when in ("then", "now")
        }
        self.counts = {when: self.rows[f"counts_{when}"].to_numpy(bool) for when in ("then", "now")}
        self.known = {
            when: self.rows[f"is_known_{when}"].to_numpy(bool) for when in ("then", "now")
        }
        self.cause = {
            kind: self.rows[f"{kind}_cause"].to_numpy(str)
            for kind in ("counts", "revision", "dispute", "decision")
        }

    def touched(self) -> dict[str, list[str]]:
        """{cause: ids of the audits that it changes}; a stratum's size has no audit."""
        found: dict[str, list[str]] = {}
        ids = self.rows["audit_id"].to_numpy(str)
        for cause in CAUSES:
            hit = np.zeros(len(ids), bool)
            for causes in self.cause.values():
                hit |= causes == cause
            if hit.any():
                found[cause] = ids[hit].tolist()
        if len(self.keys) and (self.size["then"] != self.size["now"]).any():
            found.setdefault("frame_changed", [])
        return found

    def rate(self, causes: frozenset[str]) -> float:
        """The rate with the changes of these causes made, and the others not."""

        def made(kind: str) -> np.ndarray:
            return np.isin(self.cause[kind], list(causes))

        # What is new takes what it says from now, and what is gone from then.
        is_now = ~self.known["then"]
        at = made("decision") | is_now | (self.cause["counts"] == "late_decision")
        at &= self.known["now"]
        counts = np.where(made("counts"), self.counts["now"], self.counts["then"])
        stratum = np.where(at, self.stratum["now"], self.stratum["then"])
        inside = np.where(at, self.member["now"], self.member["then"])
        # Late to be framed: it counts in the stratum that it has now.
        framed = (stratum < 0) & counts
        stratum = np.where(framed, self.stratum["now"], stratum)
        inside = np.where(framed, self.member["now"], inside)

        late = made("counts") & ~self.counts["then"]
        revised = made("revision") | is_now | late
        found = np.where(
            revised, self.terms["found_error_class", "now"], self.terms["found_error_class", "then"]
        )
        settled = made("dispute") | is_now | late
        overturned = np.where(settled, self.overturned["now"], self.overturned["then"])
        final = np.where(
            settled, self.terms["error_class", "now"], self.terms["error_class", "then"]
        )
        # Final and found differ only where a dispute overturned the finding.
        y, at_stake = np.where(overturned, final, found)

        counts &= stratum >= 0
        n = np.bincount(stratum[counts], minlength=len(self.keys)).astype(float)
        size = self.size["now" if "frame_changed" in causes else "then"]
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(n > 0, size / n, 0.0)
        used = counts & inside
        w = weight[stratum[used]]
        total = (w * at_stake[used]).sum()
        return float((w * y[used]).sum() / total) if total > 0 else float("nan")


def restate(part: Slice) -> Restatement:
    """Split the change of a slice's rate over its causes.

    Args:
        part: the slice.

    Returns:
        The rates and the shares; of a rate that is unknown then or now, no shares.
    """
    touched = part.touched()
    causes = [cause for cause in CAUSES if cause in touched]
    values = {
        frozenset(chosen): part.rate(frozenset(chosen))
        for size in range(len(causes) + 1)
        for chosen in combinations(causes, size)
    }
    before, after = values[frozenset()], values[frozenset(causes)]
    shares = {}
    for cause in causes:
        others = [one for one in causes if one != cause]
        share = 0.0
        for size in range(len(others) + 1):
            weight = factorial(size) * factorial(len(others) - size) / factorial(len(causes))
            for chosen in combinations(others, size):
                without = frozenset(chosen)
                share += weight * (values[without | {cause}] - values[without])
        shares[cause] = share
    if np.isnan(list(values.values())).any():
        shares = {}
    return Restatement(before, after, shares, touched)
