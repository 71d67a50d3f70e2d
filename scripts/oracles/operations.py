"""models/operations: waits by survival analysis, the backlog, people's work and exposure."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from .accuracy import periods_of
from .disclosure import codes_of
from .people import pseudonym
from .raw_tables import RawTables
from .sample import known_at, valid_at

CAP = 3600
GRACE = pd.Timedelta(hours=6)
MIN_JOBS, MIN_ENDED = 30, 10
DAY = pd.Timedelta(days=1)
SEVERITIES = ["none", "low", "medium", "high", "severe", "unknown"]
ENDS = ["decided", "escalated", "answered", "auto_closed", "other"]
ACTIONS = [
    "no_action", "label", "age_restrict", "demote", "restrict", "remove", "demonetise", "disable",
    "warn", "suspend", "ban",
]  # fmt: skip
PERIOD = ["period_type", "period_starts_on"]
GROUP = [*PERIOD, "dimension_name", "dimension_value"]
BANDS = ["below_half_target", "below_target", "below_twice_target", "twice_target_or_more"]


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The marts of operations."""
    as_of = known_at(raw)
    decisions = _decisions(raw)
    jobs = _jobs(raw, decisions, as_of)
    hours = _hours(raw, decisions)
    return {
        "operations.turnaround": _turnaround(jobs, _items(jobs, decisions, as_of)),
        "operations.backlog": _backlog(jobs, as_of),
        "operations.workload": _workload(raw, decisions, hours),
        "operations.exposure": _exposure(raw, decisions, hours),
        "restricted.exposure_by_person": _exposure_by_person(decisions, hours),
    }


# --- jobs ------------------------------------------------------------------------------------


def _decisions(raw: RawTables) -> pd.DataFrame:
    """Each decision: how it ends its job, who took it, of which job and of what severity."""
    rows = raw.latest("decisions", ["decision_id"], [
        "job_id", "item_id", "decided_by_type", "moderator_id", "started_at", "decided_at",
        "handling_seconds", "action_code", "primary_policy_id", "supersedes_decision_id",
    ])  # fmt: skip
    is_blank = (rows["decided_by_type"] == "human") & (rows["moderator_id"] == "")
    rows.loc[is_blank, "decided_by_type"] = "system"
    action, by = rows["action_code"], rows["decided_by_type"]
    rows["is_eligible"] = action.isin(ACTIONS) & by.isin(["human", "automation"])
    known = [*ACTIONS, "escalate", "skip", "auto_close", "reverse", "uphold"]
    rows["ends"] = np.select(
        [
            action == "skip", action == "escalate", ~action.isin(known),
            action.isin(["reverse", "uphold"]), rows["is_eligible"],
        ],
        ["skipped", "escalated", "other", "answered", "decided"],
        "auto_closed",
    )  # fmt: skip
    first = raw.rows("decisions", ["decision_id", "recorded_at"])
    rows["known_at"] = rows["decision_id"].map(first.groupby("decision_id")["recorded_at"].min())
    of_job = raw.latest("review_jobs", ["job_id"], ["queue_id", "language", "reported_policy_id"])
    rows = rows.merge(of_job, on="job_id", how="left")
    roster = raw.latest(
        "roster", ["person_id", "valid_from"], ["site", "vendor", "team_id", "valid_to"]
    )
    rows.loc[rows["decided_by_type"] != "human", "moderator_id"] = None
    rows = rows.join(
        valid_at(rows, roster, "moderator_id", "person_id", ["site", "vendor", "team_id"])
    )
    policies = raw.latest(
        "policies", ["policy_id", "policy_version"], ["severity", "valid_from", "valid_to"]
    )
    of_policy = {
        name: valid_at(rows, policies, name, "policy_id", ["severity"])["severity"]
        for name in ("primary_policy_id", "reported_policy_id")
    }
    is_enforced = action.isin(ACTIONS[1:])
    severity = of_policy["primary_policy_id"].where(is_enforced, of_policy["reported_policy_id"])
    rows["severity"] = severity.fillna("unknown")
    rows["capped"] = rows["handling_seconds"].clip(upper=CAP)
    rows["day"] = rows["decided_at"].dt.normalize()
    return rows


def _jobs(raw: RawTables, decisions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Each job: when it ended and how, whether it is left out, its wait and its target."""
    jobs = raw.latest("review_jobs", ["job_id"], [
        "item_id", "queue_id", "enqueue_reason", "enqueued_at", "language", "reported_policy_id",
        "is_job_made",
    ])  # fmt: skip
    first = raw.rows("review_jobs", ["job_id", "recorded_at"])
    jobs["known_at"] = jobs["job_id"].map(first.groupby("job_id")["recorded_at"].min())
    past = decisions[decisions["decided_at"] <= as_of]
    ending = past[past["ends"] != "skipped"].copy()
    ending["rank"] = ending["ends"].map(ENDS.index)
    ending["end_known_at"] = ending[["decided_at", "known_at"]].max(axis=1)
    known = ending.groupby("job_id")["end_known_at"].min()
    ending = ending.sort_values(["decided_at", "rank"]).drop_duplicates("job_id")
    ending = ending.set_index("job_id")
    job = jobs["job_id"]
    jobs["closed_at"], jobs["ends"] = job.map(ending["decided_at"]), job.map(ending["ends"])
    jobs["close_known_at"] = job.map(known)
    jobs["n_skips"] = job.map(past[past["ends"] == "skipped"]["job_id"].value_counts()).fillna(0)
    jobs["opened_at"] = pd.to_datetime(job.map(past.groupby("job_id")["started_at"].min()))
    made = jobs["is_job_made"].eq(True)
    jobs["left_out"] = np.select(
        [made, jobs["enqueued_at"] > as_of, jobs["closed_at"] < jobs["enqueued_at"]],
        ["job_made", "enqueued_after_as_of", "decided_before_enqueued"],
        "",
    )
    queues = raw.latest(
        "queues", ["queue_id", "valid_from"], ["target_turnaround_minutes", "valid_to"]
    )
    at_enqueue = jobs[["queue_id"]].assign(decided_at=jobs["enqueued_at"])
    minutes = valid_at(
        at_enqueue, queues, "queue_id", "queue_id", ["target_turnaround_minutes"]
    )["target_turnaround_minutes"].astype(float)  # fmt: skip
    jobs["target"] = pd.to_timedelta(np.floor(minutes * 60), unit="s")
    jobs["due_at"] = jobs["enqueued_at"] + jobs["target"]
    jobs["is_open"] = jobs["closed_at"].isna() & (jobs["left_out"] == "")
    jobs["wait"] = _seconds(jobs["enqueued_at"], jobs["closed_at"].fillna(as_of))
    in_time = jobs["closed_at"] <= jobs["due_at"]
    jobs["verdict"] = np.select(
        [
            jobs["due_at"].isna(), in_time & (jobs["ends"] == "auto_closed"), in_time,
            as_of > jobs["due_at"],
        ],
        ["no_target", "met_by_auto_close", "met", "breached"],
        "not_due",
    )  # fmt: skip
    return jobs


def _seconds(start: pd.Series, end: pd.Series) -> pd.Series:
    """Whole seconds of the clock between two moments."""
    return (end.dt.floor("s") - start.dt.floor("s")).dt.total_seconds()


def _items(jobs: pd.DataFrame, decisions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Chains of escalated jobs as one row each, of the first job's groups."""
    escalated = decisions[decisions["ends"] == "escalated"]
    links = jobs[jobs["enqueue_reason"] == "escalation"].merge(
        escalated[["item_id", "job_id", "decided_at"]], on="item_id", suffixes=("", "_before")
    )
    links = links.merge(jobs[["job_id", "enqueued_at"]].add_suffix("_before"), on="job_id_before")
    apart = _seconds(links["decided_at"], links["enqueued_at"]).abs()
    links = links[(apart <= 60) & (links["enqueued_at_before"] < links["enqueued_at"])]
    links = links.sort_values(["decided_at", "job_id_before"], ascending=[False, True])
    before = links.drop_duplicates("job_id").set_index("job_id")["job_id_before"]
    jobs = jobs.assign(first=jobs["job_id"])
    while (further := jobs["first"].map(before)).notna().any():
        jobs["first"] = further.fillna(jobs["first"])
    jobs = jobs[jobs["left_out"] == ""]
    is_decided = jobs["ends"].isin(["decided", "answered"])
    is_closed = jobs["ends"].isin(["auto_closed", "other"])
    of_item = jobs.assign(
        decided_at=jobs["closed_at"].where(is_decided),
        auto_closed_at=jobs["closed_at"].where(is_closed),
        seen_at=jobs["closed_at"].fillna(as_of),
    ).groupby("first")
    items = of_item.agg(
        enqueued_at=("enqueued_at", "min"), decided_at=("decided_at", "min"),
        auto_closed_at=("auto_closed_at", "max"), seen_at=("seen_at", "max"),
        is_open=("is_open", "max"),
    )  # fmt: skip
    first = jobs.set_index("job_id")[["queue_id", "language", "reported_policy_id"]]
    items = items.join(first)
    items["is_decided"] = items["decided_at"].notna()
    items["is_ended"] = items["is_decided"] | (
        ~items["is_open"].astype(bool) & (items["auto_closed_at"] == items["seen_at"])
    )
    items["wait"] = _seconds(items["enqueued_at"], items["decided_at"].fillna(items["seen_at"]))
    return items.reset_index()


# --- turnaround ------------------------------------------------------------------------------


def _groups(
    rows: pd.DataFrame, day: pd.Series, of: dict[str, pd.Series]
) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """The rows of each week and month, by dimension value."""
    for period_type, starts in periods_of(day).items():
        for name, values in of.items():
            for (start, value), part in rows.groupby([starts.rename("s"), values.rename("v")]):
                yield dict(zip(GROUP, (period_type, start, name, value), strict=True)), part


def _job_dimensions(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "overall": pd.Series("all", rows.index),
        "queue": rows["queue_id"].fillna("unknown"),
        "reported_policy": rows["reported_policy_id"].fillna("unknown").astype(str),
        "language": rows["language"].fillna("unknown"),
    }


def _stepped(wait: pd.Series) -> np.ndarray:
    """Seconds to ten minutes, tens of seconds to an hour, then minutes, rounded up."""
    wait = wait.to_numpy(float)
    tens, minutes = np.ceil(wait / 10) * 10, np.ceil(wait / 60) * 60
    return np.where(wait <= 600, wait, np.where(wait <= 3600, tens, minutes))


def _quantile(curve: SurvfuncRight, wait: np.ndarray, waiting: float) -> tuple[float, ...]:
    """A quantile of the wait in hours and the ends of its interval; nan where not reached."""
    reached = curve.surv_times[curve.surv_prob <= waiting + 1e-9]
    low, high = curve.quantile_ci(1 - waiting)
    if np.isnan(low) and len(reached):
        # The curve falls through the whole band in one step.
        low = high = reached[0]
    estimate = reached[0] if len(reached) else np.nan
    return estimate / 3600, low / 3600, (high if np.isfinite(high) else np.nan) / 3600


def _share(wait: np.ndarray, status: np.ndarray, seconds: int) -> tuple[float, float, float] | None:
    """The share decided within some seconds and its interval; None where nobody can know."""
    ended = status > 0
    if wait.max() < seconds and not ended[wait == wait.max()].all():
        return None
    before = wait <= seconds
    share, error = 0.0, 0.0
    if (status[before] == 1).any():
        with np.errstate(divide="ignore", invalid="ignore"):
            found = CumIncidenceRight(wait, status)
        last = np.searchsorted(found.times, seconds, side="right") - 1
        share, error = found.cinc[0][last], found.cinc_se[0][last]
        if np.isnan(error):
            # All have ended there, so that it is the share of all, if none is open before.
            error = found.cinc_se[0][last - 1] if last else 0.0
            error = np.sqrt(share * (1 - share) / len(wait)) if ended.all() else error
    spread, n_seen = share * (1 - share), len(wait) - sum(before & ~ended)
    worth = spread / error**2 if error**2 > 1e-18 and spread > 1e-12 else n_seen
    return share, *proportion_confint(share * worth, worth, method="wilson")


def _row(group: dict, metric: str, n: int, numbers: tuple | None, why: str, **more: int) -> dict:
    estimate, low, high = numbers or (np.nan, np.nan, np.nan)
    if not why and np.isnan(estimate):
        why = "not_reached"
    if why:
        estimate = low = high = np.nan
    return group | {
        "metric_id": metric, "n": n, "reason_code": why or None, "estimate": estimate,
        "ci_low": low, "ci_high": high, **more,
    }  # fmt: skip


def _turnaround(jobs: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    rows = []
    counted = jobs[jobs["left_out"] == ""]
    closed = counted[~counted["is_open"]]
    by_closing = {
        tuple(group.values()): np.sort(_stepped(part["wait"]))
        for group, part in _groups(closed, closed["closed_at"], _job_dimensions(closed))
    }
    curves = {
        "": _groups(jobs, jobs["enqueued_at"], _job_dimensions(jobs)),
        "item_": _groups(items, items["enqueued_at"], _job_dimensions(items)),
    }
    for prefix, groups in curves.items():
        for group, everything in groups:
            part = everything
            if not prefix:
                part = everything[everything["left_out"] == ""]
                is_decided = part["ends"].isin(["decided", "answered"])
                status = np.where(is_decided, 1, np.where(part["is_open"], 0, 2))
            else:
                status = np.where(part["is_decided"], 1, np.where(part["is_ended"], 2, 0))
            n, n_ended = len(part), int((status > 0).sum())
            why = "too_few_cases" if n < MIN_JOBS else "too_few_ends" if n_ended < MIN_ENDED else ""
            wait = _stepped(part["wait"])
            curve = SurvfuncRight(wait, status > 0) if not why else None
            more = {
                "n_open": n - n_ended,
                "n_ended": n_ended,
                "n_decided": int((status == 1).sum()),
            }
            for name, waiting in (("median", 0.5), ("p90", 0.1)):
                with np.errstate(divide="ignore", invalid="ignore"):
                    found = _quantile(curve, wait, waiting) if curve else None
                row = _row(group, f"{prefix}turnaround_{name}", n, found, why, **more)
                row["closed_only_estimate"] = np.nan
                others = by_closing.get(tuple(group.values()), ()) if not prefix else ()
                if len(others) >= MIN_JOBS:
                    place = int(np.ceil((1 - waiting) * len(others) - 1e-9)) - 1
                    row["closed_only_estimate"] = others[place] / 3600
                rows.append(row)
            if prefix:
                continue
            for hours in (1, 24):
                found = _share(wait, status, hours * 3600) if not why else None
                rows.append(_row(group, f"decided_within_{hours}h", n, found, why, **more))
            opened = part[part["opened_at"] >= part["enqueued_at"]]
            few = "too_few_cases" if len(opened) < MIN_JOBS else why and "too_few_ends"
            mean = _seconds(opened["enqueued_at"], opened["opened_at"]).mean() / 3600
            rows.append(
                _row(
                    group, "average_speed_to_open", len(opened), (mean, np.nan, np.nan), few, **more
                )
            )
    due = counted[counted["due_at"].notna()]
    for group, part in _groups(due, due["due_at"], _job_dimensions(due)):
        n_met, n_breached = (int((part["verdict"] == name).sum()) for name in ("met", "breached"))
        n = n_met + n_breached
        share = (n_met / n if n else np.nan, np.nan, np.nan)
        row = _row(group, "within_target", n, share, "" if n else "zero_denominator")
        row |= {"n_breached": n_breached, "n_not_due": int((part["verdict"] == "not_due").sum())}
        rows.append(row)
    found = pd.DataFrame(rows)
    found.loc[found["n"].eq(0) & found["reason_code"].notna(), "reason_code"] = "zero_denominator"
    return found


# --- backlog ---------------------------------------------------------------------------------


def _backlog(jobs: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Open jobs at the end of each day, each counted from its own two moments."""
    today = as_of.normalize()
    jobs = jobs.assign(queue=jobs["queue_id"].fillna("unknown"), e=jobs["enqueued_at"])
    left_out, jobs = jobs[jobs["left_out"] != ""], jobs[jobs["left_out"] == ""]
    known_in = pd.concat([jobs["e"], jobs["known_at"] - GRACE], axis=1).max(axis=1)
    known_out = pd.concat(
        [known_in, jobs["closed_at"], jobs["close_known_at"] - GRACE], axis=1
    ).max(axis=1).where(jobs["closed_at"].notna())  # fmt: skip
    first = min(jobs["e"].min(), left_out["e"].min() if len(left_out) else as_of).normalize()
    rows = []
    queues = sorted({*jobs["queue"], *left_out["queue"]})
    groups = [("overall", "all"), *(("queue", queue) for queue in queues)]
    for name, value in groups:
        of = jobs["queue"].eq(value) | (name == "overall")
        mine, out_of = jobs[of], left_out["queue"].eq(value) | (name == "overall")
        since, until = mine["e"].dt.normalize(), mine["closed_at"].dt.normalize()
        for day in pd.date_range(first, today):
            ended = mine[until == day]
            is_open = (since <= day) & ~(until <= day)
            row = {
                "calendar_date": day, "dimension_name": name, "dimension_value": value,
                "n_in": int((since == day).sum()), "n_out": len(ended),
                "backlog_restated": int(is_open.sum()),
                "backlog_as_known": int(
                    ((known_in[of] < day + DAY) & ~(known_out[of] < day + DAY)).sum()
                ),
                "n_left_out": int((left_out[out_of]["e"].dt.normalize() == day).sum()),
                "days_of_work": np.nan,
            }  # fmt: skip
            row |= {f"n_{how}": int((ended["ends"] == how).sum()) for how in ENDS}
            week = until[(until <= day) & (until > day - 7 * DAY)]
            n_days = min(7, (day - first).days + 1)
            if len(week):
                row["days_of_work"] = row["backlog_restated"] / (len(week) / n_days)
            if day == today or day.dayofweek == 6:
                row |= _ages(mine[is_open], as_of if day == today else day + DAY)
            rows.append(row)
    return pd.DataFrame(rows)


def _ages(jobs: pd.DataFrame, at: pd.Timestamp) -> dict[str, float]:
    age = _seconds(jobs["enqueued_at"], pd.Series(at, jobs.index))
    ratio = age / jobs["target"].dt.total_seconds()
    bands = np.select([ratio < 0.5, ratio < 1, ratio < 2, ratio >= 2], BANDS, "without_target")
    found: dict[str, float] = {
        f"n_open_{band}": int((bands == band).sum()) for band in [*BANDS, "without_target"]
    }
    ordered = np.sort(age)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("oldest", 1)):
        place = int(np.ceil(share * len(age) - 1e-9)) - 1
        found[f"age_hours_{name}"] = ordered[place] / 3600 if len(age) else np.nan
    return found


# --- people ----------------------------------------------------------------------------------


def _hours(raw: RawTables, decisions: pd.DataFrame) -> pd.DataFrame:
    """Each moderator's days with hours, with what was decided on them."""
    hours = raw.latest("shift_hours", ["person_id", "work_date"], [
        "paid_seconds", "productive_seconds", "wellness_seconds",
    ])  # fmt: skip
    hours["decided_at"] = pd.to_datetime(hours["work_date"])
    roster = raw.latest("roster", ["person_id", "valid_from"], [
        "role", "site", "vendor", "team_id", "valid_to",
    ])  # fmt: skip
    groups = ["role", "site", "vendor", "team_id"]
    hours = hours.join(valid_at(hours, roster, "person_id", "person_id", groups))
    hours = hours[hours["role"].fillna("moderator") == "moderator"]
    hours = hours.rename(columns={"decided_at": "day", "person_id": "moderator_id"})
    hours = hours[hours["day"].between(decisions["day"].min(), decisions["day"].max())]
    work = decisions[decisions["decided_by_type"] == "human"]
    work = work.groupby(["moderator_id", "day"]).agg(
        n_decisions=("is_eligible", "sum"), handled=("capped", "sum")
    )
    hours = hours.merge(work.reset_index(), on=["moderator_id", "day"], how="left")
    return hours.fillna({"n_decisions": 0, "handled": 0})


def _people_dimensions(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"overall": pd.Series("all", rows.index)} | {
        name: rows[column].fillna("unknown")
        for name, column in {"site": "site", "vendor": "vendor"}.items()
    }


def _ranked(values: pd.Series, share: float) -> float:
    ordered = np.sort(values.dropna())
    return ordered[int(np.ceil(share * len(ordered) - 1e-9)) - 1] if len(ordered) else np.nan


def _ratio(above: float, below: float) -> float:
    return above / below if below else np.nan


def _workload(raw: RawTables, decisions: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    work = decisions[decisions["decided_by_type"] == "human"]
    of_work = _job_dimensions(work) | _people_dimensions(work)
    closes = decisions[decisions["action_code"] == "auto_close"]
    bulk = {
        tuple(group.values()): len(part)
        for group, part in _groups(closes, closes["day"], _job_dimensions(closes))
    }
    shifts = {
        tuple(group.values()): part
        for group, part in _groups(hours, hours["day"], _people_dimensions(hours))
    }
    rows = []
    for group, part in _groups(work, work["day"], of_work):
        eligible = part[part["is_eligible"]]
        measured = eligible[eligible["handling_seconds"].notna()]
        is_skip = part["action_code"] == "skip"
        n_closings = int((~is_skip & part["supersedes_decision_id"].isna()).sum())
        is_of_job = group["dimension_name"] in ("overall", "queue", "language")
        has_accuracy = group["dimension_name"] != "reported_policy"
        row = group | {
            "n_decisions": len(eligible), "n_closings": n_closings,
            "n_auto_closed": bulk.get(tuple(group.values()), 0) if is_of_job else np.nan,
            "n_measured": len(measured), "share_measured": _ratio(len(measured), len(eligible)),
            "n_capped": int((measured["handling_seconds"] > CAP).sum()),
            "n_zero": int((measured["handling_seconds"] == 0).sum()),
            "n_skips": int(is_skip.sum()),
            "skip_rate": _ratio(is_skip.sum(), is_skip.sum() + n_closings),
            "handling_seconds_median": _ranked(measured["capped"], 0.5) if has_accuracy else np.nan,
            "handling_seconds_p90": _ranked(measured["capped"], 0.9) if has_accuracy else np.nan,
            "handling_seconds_mean": measured["capped"].mean() if has_accuracy else np.nan,
        }  # fmt: skip
        on_shift = shifts.get(tuple(group.values()))
        rows.append(row | (_of_hours(on_shift, len(eligible)) if on_shift is not None else {}))
    found = pd.DataFrame(rows)
    codes = pd.Series(None, index=found.index, dtype=object)
    of_people = found["dimension_name"].isin(["site", "vendor"])
    asked = found.replace({"dimension_name": {"reported_policy": "policy"}})
    codes = codes_of(asked, raw.suppressed("workload")).where(
        ~of_people, codes_of(found, raw.suppressed("accuracy"))
    )
    shown = [*GROUP, "n_auto_closed"]
    numbers = [name for name in found if name not in shown]
    found[numbers] = found[numbers].astype(float)
    own = [name for name in numbers if name not in ("n_decisions", "n_closings")]
    found.loc[codes.notna(), own] = np.nan
    found.loc[codes.notna() & of_people, ["n_decisions", "n_closings"]] = np.nan
    return found.assign(reason_code=codes)


def _of_hours(days: pd.DataFrame, n_decisions: int) -> dict[str, float]:
    productive = days[days["productive_seconds"] > 0]
    both = productive[productive["n_decisions"] > 0]
    paid = days[days["paid_seconds"] > 0]
    utilised = paid[paid["productive_seconds"].notna()]
    well = paid[paid["wellness_seconds"].notna()]
    utilisation = _ratio(utilised["productive_seconds"].sum(), utilised["paid_seconds"].sum())
    return {
        "n_person_days": len(days),
        "n_productive_days": len(both),
        "n_wellness_days": len(well),
        "hours_coverage": _ratio(productive["n_decisions"].sum(), n_decisions),
        "decisions_per_hour": _ratio(
            productive["n_decisions"].sum() * 3600, both["productive_seconds"].sum()
        ),
        "utilisation": utilisation,
        "shrinkage": 1 - utilisation,
        "occupancy": _ratio(productive["handled"].sum(), productive["productive_seconds"].sum()),
        "wellness_share": _ratio(well["wellness_seconds"].sum(), well["paid_seconds"].sum()),
    }


def _exposed(part: pd.DataFrame) -> dict[str, float]:
    row: dict[str, float] = {"n_items": len(part), "n_measured": int(part["capped"].count())}
    for severity in SEVERITIES:
        of = part[part["severity"] == severity]
        row |= {f"n_{severity}": len(of), f"seconds_{severity}": of["capped"].sum()}
    return row | {"exposure_seconds": row["seconds_high"] + row["seconds_severe"]}


def _exposure(raw: RawTables, decisions: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    work = decisions[(decisions["decided_by_type"] == "human") & decisions["moderator_id"].notna()]
    of = {"overall": pd.Series("all", work.index), "team": work["team_id"].fillna("unknown")}
    rows = []
    for group, part in _groups(work, work["day"], of):
        rows.append(group | {"n_people": part["moderator_id"].nunique()} | _exposed(part))
    found = pd.DataFrame(rows)
    codes = codes_of(found, raw.suppressed("workload")).where(
        found["dimension_name"] == "overall", codes_of(found, raw.suppressed("accuracy"))
    )
    numbers = [name for name in found if name not in GROUP]
    found[numbers] = found[numbers].astype(float)
    found.loc[codes.notna(), numbers] = np.nan
    return found.assign(reason_code=codes)


def _exposure_by_person(decisions: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    work = decisions[(decisions["decided_by_type"] == "human") & decisions["moderator_id"].notna()]
    key = ["moderator_id", "day"]
    work = work.sort_values([*key, "decided_at", "decision_id"])
    of_day = work.groupby(key)
    found = of_day.agg(n_items=("capped", "size"), n_measured=("capped", "count"))
    for severity in SEVERITIES:
        is_so = work["severity"] == severity
        days = [work[name] for name in key]
        found[f"n_{severity}"] = is_so.groupby(days).sum()
        found[f"seconds_{severity}"] = work["capped"].where(is_so, 0).groupby(days).sum()
    found["n_exposed"] = found["n_high"] + found["n_severe"]
    found["exposure_seconds"] = found["seconds_high"] + found["seconds_severe"]
    at, took = work["decided_at"].dt.floor("s"), work["capped"].fillna(0)
    pause = at.groupby(days).diff().dt.total_seconds().sub(took)
    runs = work.assign(at=at, took=took, run=(~(pause < 1800)).cumsum()).groupby([*key, "run"])
    length = (runs["at"].max() - runs["at"].min()).dt.total_seconds() + runs["took"].first()
    found["longest_run_seconds"] = length.groupby(key).max()
    found = found.join(hours.set_index(key)["productive_seconds"])
    found["exposure_share"] = found["exposure_seconds"] / found["productive_seconds"].replace(
        0, np.nan
    )
    found = found.drop(columns="productive_seconds").reset_index()
    found["moderator_key"] = found.pop("moderator_id").map(pseudonym)
    return found.rename(columns={"day": "decided_on"})
