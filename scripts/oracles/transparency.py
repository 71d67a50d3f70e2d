"""The marts of models/transparency once more: what is published of removals, from the raw files."""

import numpy as np
import pandas as pd

from .disclosure import MIN_PEOPLE
from .raw_tables import RawTables, looked_up
from .sample import ENFORCING, known_at

REMOVED_LATER = pd.Timedelta(days=45)
DAY = pd.Timedelta(hours=24)
# By how the items came to be looked at; others do not say.
REPORTED = ["user_report", "trusted_flagger", "authority_order"]
FOUND = ["proactive_model", "rule", "sample"]
RESTRICTS_AN_ITEM = [
    "label", "age_restrict", "demote", "restrict", "remove", "disable",
]  # fmt: skip
ENFORCING_CODES = [*ENFORCING, "demonetise", "disable"]
KEY = ["metric_id", "period_type", "period_starts_on", "dimension_name", "dimension_value"]
COUNTS = ["n_acts", "n_without_item", "n_repeated", "n_items"]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the marts of transparency.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    return {"transparency.enforcement_rates": enforcement_rates(raw)}


def times(column: pd.Series) -> pd.Series:
    """A column of times, whatever the files have."""
    return pd.to_datetime(column).astype("datetime64[us]")


def read_decisions(raw: RawTables) -> pd.DataFrame:
    """Every decision, with its item, the job that led to it, and when it was undone."""
    decisions = raw.latest("decisions", ["decision_id"], [
        "job_id", "item_id", "decided_by_type", "moderator_id", "decided_at", "action_code",
        "primary_policy_id", "views_at_decision", "supersedes_decision_id", "ground",
        "automation_level",
    ])  # fmt: skip
    decisions["decided_at"] = times(decisions["decided_at"])
    jobs = raw.latest("review_jobs", ["job_id"], ["item_id"]).set_index("job_id")["item_id"]
    decisions["item_id"] = decisions["item_id"].fillna(decisions["job_id"].map(jobs))
    replaces = decisions.dropna(subset="supersedes_decision_id")
    replaces = replaces[replaces["action_code"].isin(["reverse", "no_action"])]
    undone_at = replaces.groupby("supersedes_decision_id")["decided_at"].min()
    decisions["undone_at"] = looked_up(decisions["decision_id"], undone_at)
    nameless = (decisions["decided_by_type"] == "human") & (decisions["moderator_id"] == "")
    decisions["decided_by_type"] = decisions["decided_by_type"].mask(nameless, "system")
    level, who = decisions["automation_level"], decisions["decided_by_type"]
    decisions["is_automated"] = (level == "full").where(
        level.notna(), (who != "human").where(who.notna())
    )
    return decisions


def read_acts(raw: RawTables, decisions: pd.DataFrame) -> pd.DataFrame:
    """What enforcing decisions restrict, an action a row, by themselves and in decision_actions."""
    acts = decisions[decisions["action_code"].isin(ENFORCING_CODES)]
    further = raw.latest("decision_actions", ["decision_id", "action_code"], ["is_primary"])
    further = further[further["action_code"].isin(ENFORCING_CODES)].drop(columns="is_primary")
    further = acts.drop(columns="action_code").merge(further, on="decision_id")
    return pd.concat([acts, further]).drop_duplicates(["decision_id", "action_code"])


def with_history(raw: RawTables, acts: pd.DataFrame) -> pd.DataFrame:
    """The acts with when their item was posted, and whether somebody had reported it."""
    jobs = raw.latest(
        "review_jobs", ["job_id"], ["item_id", "enqueue_reason", "enqueued_at", "item_created_at"]
    )
    jobs = jobs[jobs["item_id"].isin(acts["item_id"])]
    posted = times(jobs["item_created_at"]).groupby(jobs["item_id"]).min()
    both = acts[["decision_id", "action_code", "item_id", "decided_at"]].merge(
        jobs[["item_id", "enqueue_reason", "enqueued_at"]], on="item_id"
    )
    both = both[times(both["enqueued_at"]) <= both["decided_at"]]
    act = ["decision_id", "action_code"]
    was_reported = both[both["enqueue_reason"].isin(REPORTED)].groupby(act).size()
    was_found = both[both["enqueue_reason"].isin(FOUND)].groupby(act).size()
    index = pd.MultiIndex.from_frame(acts[act])
    acts = acts.assign(
        item_created_at=looked_up(acts["item_id"], posted),
        is_found_by_reason=np.select(
            [index.isin(was_reported.index), index.isin(was_found.index)], [0.0, 1.0], np.nan
        ),
    )
    reports = raw.latest("reports", ["report_id"], ["item_id", "reported_at", "reporter_kind"])
    by_people = reports[reports["reporter_kind"] != "automation"]
    first = times(by_people["reported_at"]).groupby(by_people["item_id"]).min()
    first = first.reindex(acts["item_id"]).to_numpy()
    acts["is_found"] = ~(first <= acts["decided_at"].to_numpy())
    acts["reports_since"] = times(reports["reported_at"]).dt.normalize().min()
    return acts


def enforcement_rates(raw: RawTables) -> pd.DataFrame:
    """What is published of removals, by month and quarter."""
    decisions = read_decisions(raw)
    acts = with_history(raw, read_acts(raw, decisions)).sort_values(["decided_at", "decision_id"])
    is_undoing_recorded = decisions["supersedes_decision_id"].notna().any()
    parts = []
    for period_type, frequency in {"month": "M", "quarter": "Q"}.items():
        periods = acts["decided_at"].dt.to_period(frequency)
        for period, of_period in acts.groupby(periods):
            # By its first act of the period an item is in one policy, whatever came later.
            is_repeated = of_period.duplicated(["item_id", "action_code"])
            of_period.insert(0, "is_first", of_period["item_id"].notna() & ~is_repeated)
            first_day = of_period["decided_at"].min().normalize()
            by_reports = of_period["reports_since"].iloc[0] <= first_day
            removals = of_period[of_period["action_code"] == "remove"]
            policy = removals["primary_policy_id"].fillna("no_policy")
            groups = [
                *(("overall", "all", rows) for rows in [removals] if len(rows)),
                *(("policy", name, rows) for name, rows in removals.groupby(policy)),
                *(("action", name, rows) for name, rows in of_period.groupby("action_code")),
            ]
            for dimension, value, rows in groups:
                found = _of_group(rows, (dimension, value), period, by_reports, is_undoing_recorded)
                found["period_type"] = period_type
                found["dimension_name"], found["dimension_value"] = dimension, value
                found["period_starts_on"] = period.start_time
                found["scope"] = period.start_time.to_period("Q")
                parts.append(found)
    rates = pd.concat(parts, ignore_index=True)
    today = known_at(raw).normalize()
    final_on = rates.pop("period_ends_on") + pd.to_timedelta(
        np.where(rates["metric_id"] == "reinstated", REMOVED_LATER.days, 0), unit="D"
    )
    rates["period_status"] = np.where(final_on < today, "final", "provisional")
    return _withheld(rates)


def _of_group(
    acts: pd.DataFrame,
    group: tuple[str, str],
    period: pd.Period,
    by_reports: bool,
    is_undoing_recorded: bool,
) -> pd.DataFrame:
    """The metrics of a group in a period, whatever the number of people."""
    dimension, value = group
    with_item = acts.dropna(subset="item_id")
    items = acts[acts["is_first"]]
    posted, views = items["item_created_at"], items["views_at_decision"]
    found = items["is_found"].astype(float) if by_reports else items["is_found_by_reason"]
    is_dated = posted.notna() & (posted <= items["decided_at"])
    deadline = period.end_time + REMOVED_LATER
    # (cases known, successes, cases that cannot be)
    metrics = {
        "proactive_removal_rate": (found.notna(), found == 1, 0),
        "removal_before_views": (views.notna(), views == 0, 0),
        "removal_within_24h": (
            is_dated,
            is_dated & (items["decided_at"] - posted <= DAY),
            (posted > items["decided_at"]).sum(),
        ),
        "automated_removals": (
            items["is_automated"].notna(),
            items["is_automated"].eq(True),
            0,
        ),
        "reinstated": (
            pd.Series(is_undoing_recorded, index=items.index),
            items["undone_at"] <= deadline,
            0,
        ),
    }
    people = items.loc[items["decided_by_type"] == "human", "moderator_id"].fillna("")
    rows = []
    for name, (known, succeeded, n_impossible) in metrics.items():
        n = known.sum()
        of_account = dimension == "action" and value not in RESTRICTS_AN_ITEM
        if of_account and name in ("removal_before_views", "removal_within_24h"):
            reason = "undefined_for_dimension"
        elif len(items) and n + n_impossible == 0:
            reason = "not_recorded"
        else:
            reason = None if n else "zero_denominator"
        # Whether anything was ever undone is asked of the source, not of the group.
        if name == "reinstated" and not is_undoing_recorded:
            reason = "not_recorded"
        is_shown = reason in (None, "zero_denominator")
        rows.append(
            {
                "metric_id": name,
                "reason_code": reason,
                "n": n if is_shown else np.nan,
                "n_successes": succeeded.sum() if is_shown else np.nan,
                "n_not_recorded": len(items) - n - n_impossible if is_shown else np.nan,
                "n_impossible": n_impossible if is_shown else np.nan,
            }
        )
    if dimension == "overall":
        rows.append({"metric_id": "prevalence", "reason_code": "not_recorded"})
    counts = {
        "n_acts": len(acts),
        "n_without_item": len(acts) - len(with_item),
        "n_repeated": len(with_item) - len(items),
        "n_items": len(items),
        "n_people": people.nunique(),
        "period_ends_on": period.end_time.normalize(),
    }
    return pd.DataFrame(rows).assign(**counts)


def _withheld(rates: pd.DataFrame) -> pd.DataFrame:
    """The rates without those of few people, in no period of their quarter."""
    cells = rates.drop_duplicates(KEY[1:])
    cells = cells[cells["n_people"] > 0]
    codes = {}
    for (scope, dimension), rows in cells.groupby(["scope", "dimension_name"]):
        n_periods = rows.drop_duplicates(["period_type", "period_starts_on"]).shape[0]
        groups = rows.groupby("dimension_value")["n_people"].agg(["min", "size"])
        small = groups["min"] < MIN_PEOPLE
        if not small.any():
            continue
        large = groups[~small].reset_index()
        throughout = large[large["size"] == n_periods].sort_values(["min", "dimension_value"])
        hidden = throughout.head(1) if len(throughout) else large
        for value in groups.index[small]:
            codes[scope, dimension, value] = "suppressed_small_group"
        for value in hidden["dimension_value"]:
            codes[scope, dimension, value] = "suppressed_complementary"
    of_row = zip(rates["scope"], rates["dimension_name"], rates["dimension_value"], strict=True)
    code = pd.Series([codes.get(key) for key in of_row], rates.index, dtype=object)
    rates["reason_code"] = code.where(code.notna(), rates["reason_code"])
    values = ["n", "n_successes", "n_not_recorded", "n_impossible"]
    rates[values] = rates[values].astype(float)
    rates.loc[code.notna(), values] = np.nan
    rates["estimate"] = rates["n_successes"] / rates["n"].replace(0, np.nan)
    return rates.drop(columns="scope")
