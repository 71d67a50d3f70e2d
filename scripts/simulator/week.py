"""One week of the platform, written to files, in the memory that one week needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from . import operations, quality
from .cases import (
    CORRECT,
    ERROR_CLASSES,
    PEOPLE,
    QUALITY,
    SIBLINGS,
    Batch,
    Week,
    concatenate,
    draw_carried,
    draw_first_looks,
    draw_own,
    evidence,
    first_id,
    same_day,
    week_of,
)
from .columns import DAY, Delivery, coded, constant, dates, ids, raw_table, real, times, whole
from .incidents import LOST
from .world import (
    ACTIONS,
    AUTO_CLOSE,
    AUTOMATION,
    BAN,
    DECIDED_BY,
    ENQUEUE_REASONS,
    HUMAN,
    ITEM_TYPES,
    LANGUAGES,
    LEAF_PARENT,
    LEDGER_CATEGORIES,
    POLICY_IDS,
    REGIONS,
    World,
    chance,
)


@dataclass
class Summary:
    """What a week reports: rows delivered, correctness, and its part of the control totals."""

    week: int
    rows: dict[str, int] = field(default_factory=dict)
    decisions: int = 0
    correct: int = 0
    # (day of the world, all + queue, measure), and statements by day
    totals: dict[int, np.ndarray] = field(default_factory=dict)
    statements: dict[int, int] = field(default_factory=dict)
    audited: dict[int, np.ndarray] = field(default_factory=dict)  # see cases.evidence


def job_table(world: World, cases: Batch) -> tuple[pa.Table, np.ndarray]:
    """The raw table `review_jobs`, in the order of recording, and when each row was recorded."""
    made = operations.is_made(world.settings.seed, cases)
    enqueued = np.where(made, cases["decided"], cases["enqueued"])
    lag = np.minimum(1 + cases["number"] % 15, cases["decided"] - enqueued)
    recorded = same_day(enqueued, lag)
    order = np.argsort(recorded, kind="stable")
    rows = {name: values[order] for name, values in cases.items()}
    table = raw_table(
        "review_jobs",
        recorded[order],
        job_id=ids("j-", rows["number"]),
        item_id=ids("i-", rows["item"]),
        item_type=coded(rows["item_type"], ITEM_TYPES),
        queue_id=coded(rows["queue"], world.all_queues),
        enqueue_reason=coded(rows["reason"], ENQUEUE_REASONS),
        item_created_at=times(rows["created"]),
        enqueued_at=times(enqueued[order]),
        language=coded(rows["language"], LANGUAGES),
        region=coded(rows["region"], REGIONS),
        priority=whole(3 - rows["reason"] % 3),
        views_at_enqueue=whole(rows["views"]),
        reported_policy_id=coded(operations.reported_policy(world.settings.seed, rows), POLICY_IDS),
        is_job_made=pa.array(made[order]),
    )
    return table, recorded[order]


def decision_table(world: World, rows: Batch) -> pa.Table:
    """The raw table `decisions` of rows with a `decision` number and a `recorded` time."""
    n = len(rows["decision"])
    # An empty id is how one platform says that the system did it; null is how the others do.
    empty = len(world.moderators.ids)
    person = np.where(
        (rows["action"] == AUTO_CLOSE) & (rows["number"] % 2 == 0), empty, rows["person"]
    )
    versions = [f"model-1.{i}" for i in range(int(rows["model"].max(initial=0)) + 1)]
    return raw_table(
        "decisions",
        rows["recorded"],
        decision_id=ids("d-", rows["decision"]),
        job_id=ids("j-", rows["number"]),
        item_id=ids("i-", rows["item"]),
        decided_by_type=coded(rows["by_type"], DECIDED_BY),
        moderator_id=coded(person, [*world.moderators.ids, ""]),
        started_at=times(rows["started"]),
        decided_at=times(rows["decided"]),
        handling_seconds=real(rows["handling"]),
        action_code=coded(rows["action"], ACTIONS),
        primary_policy_id=coded(rows["policy"], POLICY_IDS),
        views_at_decision=whole(rows["later_views"]),
        model_version=coded(rows["model"], versions),
        confidence=real(np.round(rows["confidence"].astype(float), 3)),
        supersedes_decision_id=ids("d-", rows["supersedes"])
        if "supersedes" in rows
        else constant(None, n),
        ground=coded(operations.grounds(world.settings.seed, rows), operations.GROUNDS),
        automation_level=coded(
            operations.automation_levels(world.settings.seed, rows), operations.LEVELS
        ),
    )


def totals(world: World, decisions: Batch, handling: np.ndarray) -> dict[int, np.ndarray]:
    """Rows, distinct items and handling seconds by day: (1 + queues, 3) for each day's start."""
    n_queues = len(world.all_queues)
    start = decisions["decided"] // DAY * DAY
    totals = {}
    for day in np.unique(start):
        rows = slice(*np.searchsorted(start, [day, day + 1]))
        queue = decisions["queue"][rows].astype(np.int64)
        item, seconds = decisions["item"][rows], np.nan_to_num(handling[rows])
        found = np.zeros((1 + n_queues, 3))
        found[0] = len(queue), len(np.unique(item)), seconds.sum()
        found[1:, 0] = np.bincount(queue, minlength=n_queues)
        pairs = np.unique(item * n_queues + queue) % n_queues
        found[1:, 1] = np.bincount(pairs, minlength=n_queues)
        found[1:, 2] = np.bincount(queue, weights=seconds, minlength=n_queues)
        totals[int(day)] = found
    return totals


def simulate_week(world: World, number: int, out: Path) -> Summary:
    """Simulate one week and write its files below `out` (raw, truth and spool).

    Rows that are recorded in later weeks (audits, appeals …) go to `spool/<table>/<week>.parquet`.
    """
    summary, delivery = Summary(number), Delivery(out, world.horizon)
    rng = world.random(number, QUALITY)
    week = week_of(world, number)
    own, carried = draw_own(week), draw_carried(week)
    waiting = draw_carried(week_of(world, number + 1))

    begun = concatenate([own, waiting])
    operations.write_reports(week, begun, delivery)
    del waiting
    cases = concatenate([own, carried])
    del own, carried
    looks = draw_first_looks(rng, week, cases)
    again = operations.escalated_jobs(week, cases, looks)
    delivery.daily("raw/review_jobs", *job_table(world, concatenate([begun, again])))
    del begun, again
    decisions = concatenate([cases, looks])
    del cases, looks
    n = len(decisions["decided"])
    decisions["decision"] = first_id(week) + np.arange(n)
    decisions["recorded"] = same_day(decisions["decided"], rng.integers(1, 90, n))

    handling = _write_decisions(rng, week, delivery, decisions)
    known = decisions["recorded"] < world.horizon
    summary.totals = totals(world, {k: v[known] for k, v in decisions.items()}, handling[known])
    _write_policies(rng, delivery, decisions)
    summary.statements = _write_statements(rng, world, delivery, decisions)
    _write_truth(delivery, decisions, summary)
    _write_people(week, delivery)
    operations.write_actions(week, decisions, delivery)
    asked, answers, audited = quality.write_week(rng, week, decisions, delivery)
    summary.audited = evidence(week, decisions, audited[~is_lost(world, decisions)[audited]])
    delivery.later("raw/review_jobs", number, *job_table(world, asked))
    delivery.later("raw/decisions", number, decision_table(world, answers), answers["recorded"])
    for day, found in totals(world, answers, answers["handling"]).items():
        summary.totals[day] = found
    summary.rows = delivery.rows
    return summary


def is_lost(world: World, decisions: Batch) -> np.ndarray:
    """Decisions whose rows never arrive, though the platform counts them."""
    lost = np.zeros(len(decisions["decided"]), bool)
    for incident in world.of_kind("partial_loss"):
        gone = incident.during(decisions["decided"]) & (decisions["queue"] == incident.code)
        u = chance(world.settings.seed, decisions["decision"], LOST)
        lost |= gone & (u < incident.size)
    return lost


def _write_decisions(
    rng: np.random.Generator, week: Week, delivery: Delivery, decisions: Batch
) -> np.ndarray:
    """Write decisions, their corrections and duplicates; return the handling seconds in force."""
    n = len(decisions["decided"])
    # A correction arrives before the source reports its day, and before the week is framed.
    corrected = np.flatnonzero(
        (rng.random(n, np.float32) < 0.001) & (decisions["by_type"] == HUMAN)
    )
    latest = decisions["handling"].copy()
    latest[corrected] += 15
    at = decisions["recorded"][corrected] + rng.integers(60, 8 * 3600, len(corrected))
    at = np.minimum(at, (decisions["decided"][corrected] // DAY + 1) * DAY + 6 * 3600 - 60)
    at = np.minimum(at, week.monday + 7 * DAY - 1)
    late_enough = at > decisions["recorded"][corrected]
    latest[corrected[~late_enough]] -= 15
    corrected, at = corrected[late_enough], at[late_enough]

    delivered = np.concatenate([np.arange(n), corrected])
    recorded = np.concatenate([decisions["recorded"], at])
    is_latest = np.arange(len(delivered)) >= n
    twice = np.flatnonzero(rng.random(len(delivered), np.float32) < 0.002)
    delivered, recorded, is_latest = (
        np.concatenate([values, values[twice]]) for values in (delivered, recorded, is_latest)
    )
    again = np.zeros(len(recorded), bool)
    for incident in week.world.of_kind("doubled_delivery"):
        again |= incident.during(recorded)
    times_each = (1 + again) * ~is_lost(week.world, decisions)[delivered]
    order = np.repeat(np.arange(len(recorded)), times_each)
    order = order[np.argsort(recorded[order], kind="stable")]
    delivered, recorded, is_latest = delivered[order], recorded[order], is_latest[order]
    rows = {name: values[delivered] for name, values in decisions.items()}
    rows["handling"] = np.where(is_latest, latest[delivered], rows["handling"])
    rows["recorded"] = recorded
    delivery.daily("raw/decisions", decision_table(week.world, rows), recorded)
    return latest


def _write_policies(rng: np.random.Generator, delivery: Delivery, decisions: Batch) -> None:
    applied = np.flatnonzero(decisions["policy"] >= 0)
    second = applied[rng.random(len(applied), np.float32) < 0.15]
    policy = decisions["policy"]
    sibling = SIBLINGS[policy[second]]
    sibling = np.where(sibling[:, 0] == policy[second], sibling[:, 1], sibling[:, 0])
    rows = np.concatenate([applied, second])
    policies = np.concatenate([policy[applied], sibling.astype(np.int8)])
    is_primary = np.arange(len(rows)) < len(applied)
    order = np.argsort(decisions["recorded"][rows], kind="stable")
    rows = rows[order]
    recorded = decisions["recorded"][rows]
    table = raw_table(
        "decision_policies",
        recorded,
        decision_id=ids("d-", decisions["decision"][rows]),
        policy_id=coded(policies[order], POLICY_IDS),
        is_primary=pa.array(is_primary[order]),
    )
    delivery.daily("raw/decision_policies", table, recorded)


def _write_statements(
    rng: np.random.Generator, world: World, delivery: Delivery, decisions: Batch
) -> dict[int, int]:
    """Write the statements; return how many were submitted on each day, lost ones included."""
    rows = np.flatnonzero(operations.is_restriction(decisions["action"]))
    rows = rows[decisions["recorded"][rows] < world.horizon]
    known = decisions["recorded"][rows]
    submitted = same_day(known, rng.integers(30, 4 * 3600, len(rows)))
    order = np.argsort(submitted, kind="stable")
    rows, submitted = rows[order], submitted[order]
    days, counts = np.unique(submitted // DAY * DAY, return_counts=True)
    for incident in world.of_kind("missing_day"):
        arrived = ~incident.during(submitted)
        rows, submitted = rows[arrived], submitted[arrived]
    machine = decisions["by_type"][rows] == AUTOMATION
    table = raw_table(
        "statements_of_reasons",
        submitted,
        statement_id=ids("s-", decisions["decision"][rows]),
        decision_id=ids("d-", decisions["decision"][rows]),
        category=coded(LEAF_PARENT[decisions["policy"][rows]], LEDGER_CATEGORIES),
        automated_decision=coded(machine.astype(np.int8), ["NOT_AUTOMATED", "FULLY"]),
        restriction=coded(decisions["action"][rows], ACTIONS),
        # Not stated: why a ledger says an item was looked at, and from which day of its own zone.
        source_type=constant(None, len(rows)),
        applied_on=pa.nulls(len(rows), pa.date32()),
        submitted_at=times(submitted),
    )
    delivery.daily("raw/statements_of_reasons", table, submitted)
    return dict(zip(days.tolist(), counts.tolist(), strict=True))


def _write_truth(delivery: Delivery, decisions: Batch, summary: Summary) -> None:
    judged = np.flatnonzero(
        (decisions["action"] <= BAN) & (decisions["recorded"] < delivery.horizon)
    )
    rows = {name: decisions[name][judged] for name in ("decision", "decided", "error")}
    table = pa.table(
        {
            "decision_id": ids("d-", rows["decision"]),
            "decided_at": times(rows["decided"]),
            "true_action_code": coded(decisions["true_action"][judged], ACTIONS),
            "true_policy_id": coded(decisions["true_policy"][judged], POLICY_IDS),
            "is_correct": pa.array(rows["error"] == CORRECT),
            "error_class": coded(rows["error"], ERROR_CLASSES),
        }
    )
    summary.decisions, summary.correct = len(judged), int((rows["error"] == CORRECT).sum())
    delivery.daily("truth/decisions", table, rows["decided"])


def _write_people(week: Week, delivery: Delivery) -> None:
    """Shift hours, golden items and calibration sessions of the week."""
    world = week.world
    rng = world.random(week.number, PEOPLE)
    day, person = np.nonzero(week.on_shift)
    in_world = week.monday + day * DAY >= world.start
    day, person = day[in_world], person[in_world]
    start = week.monday + day * DAY
    wellness = rng.integers(15 * 60, 45 * 60, len(day))
    recorded = start + DAY + 5 * 3600
    table = raw_table(
        "shift_hours",
        recorded,
        person_id=coded(person, world.moderators.ids),
        work_date=dates(start),
        paid_seconds=whole(np.full(len(day), 8 * 3600)),
        productive_seconds=whole(rng.integers(5 * 3600, 7 * 3600, len(day))),
        wellness_seconds=whole(wellness),
    )
    delivery.daily("raw/shift_hours", table, recorded)
    quality.write_golden(rng, week, day, person, delivery)
    quality.write_calibration(rng, week, delivery)
