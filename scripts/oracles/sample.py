"""Which decisions and audits count, in which context, with which weight: from the raw tables.

Follows docs/decisions.md ("Definitions, worked"), not the SQL.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .raw_tables import RawTables

NO_DECISION = ["auto_close", "reverse", "uphold", "skip", "escalate"]
ENFORCING = [
    "label", "age_restrict", "demote", "restrict", "remove", "demonetise", "disable", "warn",
    "suspend", "ban",
]  # fmt: skip
STRENGTH = {
    "no_action": 0, "label": 1, "age_restrict": 2, "demote": 3, "restrict": 4, "remove": 5,
    "demonetise": 2, "disable": 5, "warn": 1, "suspend": 6, "ban": 7,
}  # fmt: skip
PROBABILITY = ["simple_random", "stratified_random"]
STRATUM = ["plan_id", "stratum_id", "period_start"]
# A model's confidence; a bound belongs to the band above it.
BANDS = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, np.inf]
# What int_context__as_of takes the latest recorded_at of.
DATED = [
    "decisions", "review_jobs", "audits", "disputes", "sampling_frame", "policies", "queues",
    "roster", "audit_scores", "golden_results", "calibration_ratings", "appeals",
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """What a world holds for an estimate.

    Attributes:
        decisions: one row per decision: its context, is_eligible, stratum (a number; -1 none).
        strata: one row per stratum of the frame: STRATUM, period_end, queue_id, action_group,
            population_size, n_audits (that count), weight, pool and is_certain (for the variance).
        audits: one row per audit that counts, or would but for a frame: stratum (-1: no frame), the
            context of its decision, and what it found.
        blanks: one row per audit that would count if it said what was right: stratum and context.
    """

    decisions: pd.DataFrame
    strata: pd.DataFrame
    audits: pd.DataFrame
    blanks: pd.DataFrame


def known_at(raw: RawTables) -> pd.Timestamp:
    """The latest moment at which anything of a world was recorded."""
    return max(
        pd.to_datetime(raw.rows(table, ["recorded_at"])["recorded_at"]).max()
        for table in DATED
        if len(raw.rows(table, ["recorded_at"]))
    )


def read_sample(raw: RawTables) -> Sample:
    """Read a world."""
    policies = raw.latest("policies", ["policy_id", "policy_version"],
                          ["parent_policy_id", "severity", "valid_from", "valid_to"])  # fmt: skip
    decisions = _decisions(raw, policies)
    frame = raw.latest("sampling_frame", STRATUM, [
        "period_end", "queue_id", "decided_by_type", "action_group", "population_size",
        "planned_sample_size",
    ])  # fmt: skip
    decisions["stratum"] = _strata_of(decisions[decisions["is_eligible"]], frame).reindex(
        decisions.index, fill_value=-1
    )
    audits, blanks = _audits(raw, decisions, frame, policies)
    strata = with_design(frame, audits["stratum"])
    audits["weight"] = audits["stratum"].map(strata["weight"])
    return Sample(decisions, strata, audits, blanks)


def with_design(frame: pd.DataFrame, stratum: pd.Series) -> pd.DataFrame:
    """The strata with what an estimate needs, of these audits.

    Args:
        frame: the strata.
        stratum: of each audit; below 0 it has none.
    """
    n_audits = stratum[stratum >= 0].value_counts().reindex(frame.index, fill_value=0)
    strata = frame.assign(n_audits=n_audits)
    strata["weight"] = strata["population_size"] / strata["n_audits"].replace(0, np.nan)
    strata["is_certain"] = (strata["n_audits"] > 0) & (
        strata["n_audits"] >= strata["population_size"]
    )
    strata["pool"] = pools(strata)
    return strata


def valid_at(
    rows: pd.DataFrame, periods: pd.DataFrame, left_on: str, right_on: str, values: list[str]
) -> pd.DataFrame:
    """What was in force when each row was decided.

    Args:
        rows: with decided_at, and an index without repeats.
        periods: with valid_from and valid_to.
        left_on: the column of rows that says of what.
        right_on: the same in periods.
        values: the columns of periods to give.

    Returns:
        The values by the index of rows; null where nothing was in force.
    """
    both = (
        rows[[left_on, "decided_at"]]
        # Of a column that is all null pandas does not know the type.
        .astype({left_on: periods[right_on].dtype})
        .reset_index(names="row")
        .merge(
            periods[[right_on, "valid_from", "valid_to", *values]],
            left_on=left_on,
            right_on=right_on,
        )
    )
    since, until = pd.to_datetime(both["valid_from"]), pd.to_datetime(both["valid_to"])
    both = both[(both["decided_at"] >= since) & ~(both["decided_at"] >= until)]
    return both.set_index("row")[values].reindex(rows.index)


def _decisions(raw: RawTables, policies: pd.DataFrame) -> pd.DataFrame:
    rows = raw.latest("decisions", ["decision_id"], [
        "job_id", "decided_by_type", "moderator_id", "decided_at", "action_code",
        "primary_policy_id", "views_at_decision", "model_version", "confidence",
        "supersedes_decision_id",
    ])  # fmt: skip
    jobs = raw.latest("review_jobs", ["job_id"], ["queue_id", "item_type", "language", "region"])
    rows = rows.merge(jobs, on="job_id", how="left")
    roster = raw.latest(
        "roster", ["person_id", "valid_from"], ["site", "vendor", "team_id", "hired_on", "valid_to"]
    )
    is_human = rows["decided_by_type"] == "human"
    # An empty moderator is how some systems write "the system did it".
    rows.loc[is_human & (rows["moderator_id"] == ""), "decided_by_type"] = "system"
    rows.loc[rows["decided_by_type"] != "human", "moderator_id"] = None
    who = valid_at(
        rows, roster, "moderator_id", "person_id", ["site", "vendor", "team_id", "hired_on"]
    )
    rows = rows.join(who)
    in_force = valid_at(
        rows, policies, "primary_policy_id", "policy_id", ["policy_version", "parent_policy_id"]
    )
    rows["policy_version"] = in_force["policy_version"]
    rows["policy_parent"] = in_force["parent_policy_id"].fillna(rows["primary_policy_id"])
    rows["has_enforced"] = rows["action_code"].isin(ENFORCING)
    rows["is_eligible"] = rows["decided_by_type"].isin(["human", "automation"]) & (
        rows["has_enforced"] | (rows["action_code"] == "no_action")
    )
    return rows


def _strata_of(decisions: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    """The stratum of each decision that the frame describes."""
    found = [pd.Series(dtype=int)]
    for number, stratum in frame.iterrows():
        inside = (decisions["decided_at"] >= stratum["period_start"]) & (
            decisions["decided_at"] < stratum["period_end"]
        )
        for name in ("queue_id", "decided_by_type"):
            if pd.notna(stratum[name]):
                inside &= decisions[name] == stratum[name]
        if pd.notna(stratum["action_group"]):
            inside &= decisions["has_enforced"] == (stratum["action_group"] == "enforced")
        found.append(pd.Series(number, index=decisions.index[inside]))
    return pd.concat(found)


def _audits(
    raw: RawTables, decisions: pd.DataFrame, frame: pd.DataFrame, policies: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    audits = standing_audits(raw)
    audits = audits[
        (audits["audit_status"] == "final")
        & ~audits["is_withdrawn"]
        & audits["sampling_method"].isin(PROBABILITY)
    ]
    audits = audits.merge(
        decisions[decisions["is_eligible"]].drop(columns=["stratum", "has_enforced"]),
        on="decision_id",
    )
    place = audits[["audit_id", "plan_id", "stratum_id", "decided_at"]].merge(
        frame.reset_index(names="stratum")[["stratum", *STRATUM, "period_end"]],
        on=["plan_id", "stratum_id"],
    )
    place = place[
        (place["decided_at"] >= place["period_start"]) & (place["decided_at"] < place["period_end"])
    ]
    audits["stratum"] = (
        audits["audit_id"].map(place.set_index("audit_id")["stratum"]).fillna(-1).astype(int)
    )
    is_blank = audits["error_class"].isna()
    audits, blanks = audits[~is_blank], audits[is_blank].reset_index(drop=True)
    audits["is_out_of_frame"] = audits["stratum"] < 0
    audits = audits.sort_values(["is_out_of_frame", "audited_at", "audit_id"])
    audits = audits.drop_duplicates("decision_id").reset_index(drop=True)
    truth = valid_at(
        audits, policies, "truth_policy_id", "policy_id", ["policy_version", "parent_policy_id"]
    )
    audits["truth_policy_version"] = truth["policy_version"]
    audits["truth_policy_parent"] = truth["parent_policy_id"].fillna(audits["truth_policy_id"])
    decided = valid_at(audits, policies, "decided_policy_id", "policy_id", ["parent_policy_id"])
    audits["decided_policy_parent"] = decided["parent_policy_id"].fillna(
        audits["decided_policy_id"]
    )
    return audits, blanks


def standing_audits(raw: RawTables) -> pd.DataFrame:
    """Each audit of any method as it stands: its last final revision, else its last.

    Disputes that were overturned have the last word; error_class is null where nothing was judged.
    """
    rows = raw.latest("audits", ["audit_id", "revision_no"], [
        "decision_id", "auditor_id", "auditor_tier", "sampling_method", "plan_id", "stratum_id",
        "is_blind", "decided_action_code", "decided_policy_id", "truth_action_code",
        "truth_policy_id", "severity", "is_critical", "is_technical_error", "audit_status",
        "audited_at",
    ]).sort_values(["audit_id", "revision_no"])  # fmt: skip
    settled = rows[rows["audit_status"] != "draft"].drop_duplicates("audit_id", keep="last")
    withdrawn = settled.loc[settled["audit_status"] == "withdrawn", "audit_id"]
    finals = rows[rows["audit_status"] == "final"].drop_duplicates("audit_id", keep="last")
    others = rows[~rows["audit_id"].isin(finals["audit_id"])]
    audits = pd.concat([finals, others.drop_duplicates("audit_id", keep="last")])
    audits["is_withdrawn"] = audits["audit_id"].isin(withdrawn)

    disputes = raw.latest("disputes", ["dispute_id"], [
        "audit_id", "outcome", "resolved_at", "final_action_code", "final_policy_id",
    ]).sort_values(["resolved_at", "dispute_id"])  # fmt: skip
    overturned = disputes[disputes["outcome"] == "overturned"]
    overturned = overturned.drop_duplicates("audit_id", keep="last").drop(columns="resolved_at")
    audits = audits.merge(overturned, on="audit_id", how="left")
    audits["is_overturned"] = audits.pop("outcome").notna()
    for name in ("action_code", "policy_id"):
        audits[f"truth_{name}"] = audits[f"truth_{name}"].mask(
            audits["is_overturned"], audits.pop(f"final_{name}")
        )
    for name in ("decided_policy_id", "truth_policy_id", "truth_action_code"):
        audits[name] = audits[name].replace("", None)
    audits["has_enforced"] = _enforces(audits["decided_action_code"])
    audits["is_violating"] = _enforces(audits["truth_action_code"])
    audits["error_class"] = [_error_class(row) for row in audits.itertuples()]
    return audits.reset_index(drop=True)


def why_left_out(audits: pd.DataFrame, sample: Sample) -> pd.Series:
    """Why each of the standing audits is in no weighted rate; empty where it is in one."""
    decisions = sample.decisions.set_index("decision_id")
    is_eligible = audits["decision_id"].map(decisions["is_eligible"]).fillna(False).astype(bool)
    strata = sample.audits.set_index("audit_id")["stratum"]
    reasons = {
        "withdrawn": audits["is_withdrawn"],
        "not_final": audits["audit_status"] != "final",
        "not_probability_sample": ~audits["sampling_method"].isin(PROBABILITY),
        "decision_not_eligible": ~is_eligible,
        "truth_missing": audits["error_class"].isna(),
        "repeated_audit": ~audits["audit_id"].isin(strata.index),
        "no_frame": audits["audit_id"].map(strata) < 0,
    }
    return pd.Series(np.select(list(reasons.values()), list(reasons), ""), index=audits.index)


def _enforces(action: pd.Series) -> pd.Series:
    known = action.isin([*ENFORCING, "no_action"])
    return action.isin(ENFORCING).astype(object).where(known, None)


def _error_class(audit: tuple) -> str | None:
    enforced, violating = audit.has_enforced, audit.is_violating
    if audit.is_technical_error is True or audit.is_technical_error is np.True_:
        return "technical"
    if enforced is None or violating is None:
        return None
    if enforced != violating:
        return "false_positive" if enforced else "false_negative"
    if not enforced:
        return "correct"
    if pd.isna(audit.truth_policy_id):
        return None
    is_same = (audit.decided_action_code, audit.decided_policy_id) == (
        audit.truth_action_code,
        audit.truth_policy_id,
    )
    return "correct" if is_same else "wrong_selection"


def pools(strata: pd.DataFrame) -> pd.Series:
    """Which strata stand together in the variance: one audit alone cannot give one.

    Strata with one audit are paired with one another in the order of size, in their queue or, where
    each is the only one of its queue, in the plan. A single one goes with the nearest in size.
    """
    pool = pd.Series(strata.index, index=strata.index)
    order = ["population_size"] + (["plan_id", "stratum_id"] if "stratum_id" in strata else [])
    open_ones = strata[(strata["n_audits"] > 0) & ~strata["is_certain"]].sort_values(order)
    for _, plan in open_ones.groupby(["plan_id", "period_start"]):
        queues = [queue for _, queue in plan.groupby("queue_id", dropna=False)]
        alone = [queue for queue in queues if len(queue) == 1 and queue["n_audits"].iloc[0] == 1]
        for queue in queues:
            if len(queue) > 1:
                _pair(pool, queue[queue["n_audits"] == 1], queue)
        if alone:
            _pair(pool, plan[plan.index.isin([queue.index[0] for queue in alone])], plan)
    return pool


def _pair(pool: pd.Series, lonely: pd.DataFrame, among: pd.DataFrame) -> None:
    """Put strata with one audit together, or a single one with the nearest in size."""
    if len(lonely) == 1:
        one = lonely.index[0]
        others = among.drop(one)
        if len(others):
            distance = (others["population_size"] - lonely["population_size"].iloc[0]).abs()
            pool[one] = pool[distance.sort_values(kind="stable").index[0]]
        return
    pairs = [list(lonely.index[at : at + 2]) for at in range(0, len(lonely), 2)]
    if pairs and len(pairs[-1]) == 1:
        pairs[-2] += pairs.pop()
    for pair in pairs:
        pool[pair] = min(pair)
