"""The headline table as a pandas user would compute it from the raw files, whole.

The same table as headline.sql: one row per month and queue (and all queues) with decisions, audits,
accuracy and standard error. Only the columns needed are read, nothing is done row by row, and text
is Arrow's, as pandas 3 has it.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

NO_DECISION = ["auto_close", "reverse", "uphold", "skip", "escalate"]
STRATUM = ["plan_id", "stratum_id", "period_start"]


def latest(raw: Path, table: str, key: list[str], columns: list[str]) -> pd.DataFrame:
    """The last recorded row of each key of a raw table."""
    rows = pd.read_parquet(raw / table, columns=[*key, *columns, "recorded_at"])
    rows = rows.sort_values("recorded_at", kind="stable").drop_duplicates(key, keep="last")
    return rows.drop(columns="recorded_at")


def headline(raw: Path) -> pd.DataFrame:
    """Compute the table from a folder of raw tables."""
    decisions = latest(
        raw, "decisions", ["decision_id"],
        ["job_id", "decided_at", "decided_by_type", "action_code"],
    )  # fmt: skip
    jobs = latest(raw, "review_jobs", ["job_id"], ["queue_id"])
    decisions = decisions.merge(jobs, on="job_id", how="left")
    decisions["month"] = decisions["decided_at"].dt.to_period("M").dt.start_time
    decisions["is_eligible"] = decisions["decided_by_type"].isin(["human", "automation"]) & ~(
        decisions["action_code"].isin(NO_DECISION)
    )
    counted = by_queue(decisions).size().rename("n_decisions")
    rates = estimates(sample(raw, decisions[decisions["is_eligible"]]))
    return counted.to_frame().join(rates).reset_index().sort_values(["month", "queue_id"])


def by_queue(
    rows: pd.DataFrame, further: list[str] | None = None
) -> "pd.api.typing.DataFrameGroupBy":
    """Group rows by month and queue, with every row once more under all queues."""
    both = pd.concat([rows, rows.assign(queue_id="all")])
    return both.groupby(["month", "queue_id", *(further or [])])


def sample(raw: Path, decisions: pd.DataFrame) -> pd.DataFrame:
    """One audit per decision, drawn by chance, with its stratum and whether it found it correct."""
    audits = latest(
        raw, "audits", ["audit_id", "revision_no"],
        [
            "audit_status", "sampling_method", "plan_id", "stratum_id", "decision_id", "audited_at",
            "decided_action_code", "decided_policy_id", "truth_action_code", "truth_policy_id",
            "is_technical_error",
        ],
    )  # fmt: skip
    audits = audits.sort_values(["audit_id", "revision_no"])
    settled = audits[audits["audit_status"] != "draft"].drop_duplicates("audit_id", keep="last")
    withdrawn = settled.loc[settled["audit_status"] == "withdrawn", "audit_id"]
    audits = audits[audits["audit_status"] == "final"].drop_duplicates("audit_id", keep="last")
    audits = audits[
        ~audits["audit_id"].isin(withdrawn)
        & audits["sampling_method"].isin(["simple_random", "stratified_random"])
    ]
    disputes = latest(
        raw, "disputes", ["dispute_id"],
        ["audit_id", "outcome", "resolved_at", "final_action_code", "final_policy_id"],
    )  # fmt: skip
    overturned = (
        disputes[disputes["outcome"] == "overturned"]
        .sort_values("resolved_at")
        .drop_duplicates("audit_id", keep="last")
    )
    audits = audits.merge(overturned, on="audit_id", how="left")
    is_overturned = audits["outcome"].notna()
    action = audits["truth_action_code"].mask(is_overturned, audits["final_action_code"])
    policy = audits["truth_policy_id"].mask(is_overturned, audits["final_policy_id"])
    audits["is_correct"] = (
        (audits["decided_action_code"] == action)
        & (
            (audits["decided_policy_id"] == policy)
            | (audits["decided_policy_id"].isna() & policy.isna())
        )
        & ~audits["is_technical_error"]
    )
    audits = audits[action.notna()]
    frame = latest(raw, "sampling_frame", STRATUM, ["period_end", "population_size"])
    found = audits.merge(
        decisions[["decision_id", "decided_at", "month", "queue_id"]], on="decision_id"
    ).merge(frame, on=["plan_id", "stratum_id"])
    found = found[
        (found["decided_at"] >= found["period_start"]) & (found["decided_at"] < found["period_end"])
    ]
    return found.sort_values(["audited_at", "audit_id"]).drop_duplicates("decision_id")


def estimates(sampled: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and its standard error by month and queue, from a stratified sample."""
    sampled["n_stratum"] = sampled.groupby(STRATUM)["audit_id"].transform("size")
    sampled["weight"] = sampled["population_size"] / sampled["n_stratum"]
    strata = by_queue(sampled, STRATUM).agg(
        n=("is_correct", "size"),
        k=("is_correct", "sum"),
        n_stratum=("n_stratum", "first"),
        weight=("weight", "first"),
        population_size=("population_size", "first"),
    )
    strata["wn"] = strata["weight"] * strata["n"]
    strata["wk"] = strata["weight"] * strata["k"]
    group = ["month", "queue_id"]
    rates = strata.groupby(group).agg(n_audits=("n", "sum"), w=("wn", "sum"), wk=("wk", "sum"))
    rates["accuracy"] = rates["wk"] / rates["w"]
    strata = strata.join(rates[["w", "accuracy"]])
    p, n, k = strata["accuracy"], strata["n"], strata["k"]
    strata["variance"] = (
        (1 - strata["n_stratum"] / strata["population_size"])
        * strata["n_stratum"] / (strata["n_stratum"] - 1).replace(0, np.nan)
        * (strata["weight"] / strata["w"]) ** 2
        * (k * (1 - p) ** 2 + (n - k) * p**2 - (k - n * p) ** 2 / strata["n_stratum"])
    )  # fmt: skip
    rates["standard_error"] = np.sqrt(strata.groupby(group)["variance"].sum())
    return rates[["n_audits", "accuracy", "standard_error"]]


if __name__ == "__main__":
    headline(Path(sys.argv[1])).to_csv(sys.argv[2], index=False)
