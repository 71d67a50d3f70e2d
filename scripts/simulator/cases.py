"""Cases (a job with its decision) of one week, as arrays; one row per case, times in epoch seconds.

A week can be simulated alone, in any order and process. What crosses from one week into the next
(jobs enqueued on Sunday and decided on Monday) is drawn from its own random stream, by both weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .columns import DAY
from .world import (
    AUTO_CLOSE,
    AUTOMATION,
    BAN,
    ENQUEUE_MIX,
    ESCALATE,
    HUMAN,
    ITEM_TYPES,
    LANGUAGE_MIX,
    LEAF_ACTION,
    LEAF_DIFFICULTY,
    LEAF_PARENT,
    NO_ACTION,
    REGION_MIX,
    SKIP,
    SLOTS,
    SYSTEM,
    TIER_TARGETS,
    World,
    slots,
)

ERROR_CLASSES = ["correct", "false_positive", "false_negative", "wrong_selection", "technical"]
CORRECT, FALSE_POSITIVE, FALSE_NEGATIVE, WRONG_SELECTION, TECHNICAL = range(5)

# The parts of a week, each with its own random stream.
OWN, CARRIED, QUALITY, PEOPLE = range(4)
CARRIED_SHARE = 0.025
DAY_FACTOR = np.array([1.07, 1.12, 1.12, 1.10, 1.04, 0.81, 0.74])
HOUR_SLOTS = slots(1 + 0.75 * np.sin((np.arange(24) - 8) * np.pi / 12))[0]
LANGUAGE_SLOTS, REGION_SLOTS = slots(LANGUAGE_MIX)[0], slots(REGION_MIX)[0]
REASON_SLOTS = slots(ENQUEUE_MIX)[0]
MODEL_WEEKS = 6  # a new model version every six weeks, each with 4 % fewer errors
SIBLINGS = np.stack([np.flatnonzero(parent == LEAF_PARENT) for parent in LEAF_PARENT])

Batch = dict[str, np.ndarray]


@dataclass
class Conditions:
    """What the days of a week are like: who works and how error-prone everything is."""

    monday: int
    queue_volume: np.ndarray  # (day, queue), relative to an average day's total of 1
    queue_error: np.ndarray  # (day, queue)
    leaf_error: np.ndarray  # (day, leaf or none)
    person_error: np.ndarray  # (day, person)
    on_shift: np.ndarray  # (day, person)
    rota: np.ndarray  # (day, queue, place) persons
    rota_size: np.ndarray  # (day, queue)
    auto_close: np.ndarray  # (day,) share
    broken_feed: np.ndarray  # (day, queue)


def conditions(world: World, week: int) -> Conditions:
    """The conditions of one week, incidents included."""
    people, n_queues = world.moderators, len(world.queue_ids)
    monday = world.monday(week)
    days = monday + np.arange(7) * DAY
    volume = np.tile(world.queue_mix, (7, 1)) * DAY_FACTOR[:, None]
    queue_error = np.tile(world.queue_difficulty, (7, 1))
    # The last entry is for items that violate nothing.
    difficulty = np.append(LEAF_DIFFICULTY / LEAF_DIFFICULTY.mean(), 0.75)
    leaf_error = np.tile(difficulty, (7, 1))
    tenure = (days[:, None] - people.hired[None, :]) / DAY
    person_error = people.error_factor * (1 + 0.8 * np.exp(-np.maximum(tenure, 0) / 45))
    auto_close, broken = np.full(7, 0.012), np.zeros((7, n_queues), bool)

    for incident, when in world.during("mix_shift", week):
        volume[when, incident.code] *= incident.size
    for incident, when in world.during("queue_accuracy_drop", week):
        queue_error[when, incident.code] *= incident.size
    for incident, when in world.during("policy_change", week):
        leaf_error[when, incident.code] *= incident.size
    for incident, when in world.during("vendor_cohort", week):
        person_error[np.ix_(when, people.hired == incident.starts_at)] *= incident.size
    for incident, when in world.during("bulk_close", week):
        auto_close[when] = incident.size
    for incident, when in world.during("broken_feed", week):
        broken[when, incident.code] = True

    since_off = (np.arange(7)[:, None] - people.day_off[None, :]) % 7
    employed = tenure >= 0
    on_shift = employed & (since_off >= 2)
    rota = np.zeros((7, n_queues, len(people.ids)), np.int32)
    size = np.zeros((7, n_queues), np.int64)
    for day in range(7):
        for queue in range(n_queues):
            skilled = (people.queues == queue).any(axis=1)
            for pool in (on_shift[day] & skilled, on_shift[day], employed[day]):
                found = np.flatnonzero(pool)
                if len(found):
                    break
            rota[day, queue, : len(found)], size[day, queue] = found, len(found)
    return Conditions(
        monday=monday,
        queue_volume=volume,
        queue_error=queue_error,
        leaf_error=leaf_error,
        person_error=person_error,
        on_shift=on_shift,
        rota=rota,
        rota_size=size,
        auto_close=auto_close,
        broken_feed=broken,
    )


def draw(rng: np.random.Generator, table: np.ndarray, n: int) -> np.ndarray:
    """n codes from one slot table."""
    return table[rng.integers(0, SLOTS, n, dtype=np.uint16)]


def same_day(event: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """event + lag, but not past the event's own day: the platform closes its log at midnight."""
    return np.minimum(event + lag, (event // DAY + 1) * DAY - 1)


def mistake(
    rng: np.random.Generator,
    world: World,
    queue: np.ndarray,
    action: np.ndarray,
    policy: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wrong answer for each right one: action, policy and error class, all arrays of n."""
    n = len(queue)
    u = rng.random(n)
    some_leaf = world.leaf_slots[queue, rng.integers(0, SLOTS, n, dtype=np.uint16)]
    sibling = SIBLINGS[policy, rng.integers(1, 3, n)]
    sibling = np.where(sibling == policy, SIBLINGS[policy, 0], sibling)
    violates = action != NO_ACTION
    missed = violates & (u < 0.45)
    other_policy = violates & (u >= 0.45) & (u < 0.75)
    other_action = violates & (u >= 0.75)
    ladder = np.where((action == BAN) | ((u > 0.9) & (action > 1)), action - 1, action + 1)
    wrong_action = np.where(violates, action, LEAF_ACTION[some_leaf])
    wrong_action[missed] = NO_ACTION
    wrong_action[other_action] = ladder[other_action]
    wrong_policy = np.where(violates, policy, some_leaf)
    wrong_policy[missed] = -1
    wrong_policy[other_policy] = sibling[other_policy]
    kind = np.where(violates, np.where(missed, FALSE_NEGATIVE, WRONG_SELECTION), FALSE_POSITIVE)
    return wrong_action.astype(np.int8), wrong_policy.astype(np.int8), kind.astype(np.int8)


def assign(
    rng: np.random.Generator,
    world: World,
    now: Conditions,
    day: np.ndarray,
    queue: np.ndarray,
    language: np.ndarray,
) -> np.ndarray:
    """Who decides: somebody on shift for the queue; of two, the one who reads the language."""
    size = now.rota_size[day, queue]
    first, second = (
        now.rota[day, queue, (rng.random(len(day), np.float32) * size).astype(np.int32)]
        for _ in range(2)
    )
    return np.where(world.moderators.language[first] == language, first, second)


def draw_cases(
    rng: np.random.Generator,
    world: World,
    now: Conditions,
    decided: np.ndarray,
    number: np.ndarray,
    enqueued: np.ndarray | None = None,
) -> Batch:
    """Jobs with their decisions, one each, for given (sorted) decision times.

    Where `enqueued` is not given it is drawn, within the week; where it is, people decide.
    """
    n = len(decided)
    day = ((decided - now.monday) // DAY).astype(np.int8)
    queue = slots(now.queue_volume)[day, rng.integers(0, SLOTS, n, dtype=np.uint16)].astype(np.int8)

    u = rng.random(n, np.float32)
    closes = now.auto_close[day]
    automated = closes + (1 - closes) * world.automation_share[queue]
    by_type = np.where(u < closes, SYSTEM, np.where(u < automated, AUTOMATION, HUMAN))
    if enqueued is not None:
        by_type[:] = HUMAN
    by_type = by_type.astype(np.int8)
    human, machine = by_type == HUMAN, by_type == AUTOMATION

    if enqueued is None:
        target = np.array([minutes for minutes, _ in TIER_TARGETS])[world.queue_tier] * 60
        spread = np.exp(rng.standard_normal(n, np.float32) * 0.9)
        wait = np.where(machine, 30, np.where(human, 0.3 * target[queue], 2 * DAY)) * spread
        room = decided - now.monday
        # What would have begun last week begins somewhere in this one.
        wait = np.where(wait < room, wait, rng.random(n, np.float32) * room)
        enqueued = decided - wait.astype(np.int64)

    # Some items come back: the same item, another job.
    source = np.arange(n)
    again = np.flatnonzero(rng.random(n, np.float32) < 0.03)
    earlier = (rng.random(len(again)) * again).astype(np.int64)
    keep = ~np.isin(earlier, again)
    source[again[keep]] = earlier[keep]

    def of_item(values: np.ndarray) -> np.ndarray:
        return values[source]

    created = of_item(enqueued - (np.exp(rng.standard_normal(n, np.float32) + 9)).astype(np.int64))
    enqueued = np.maximum(enqueued, created)
    language = of_item(draw(rng, LANGUAGE_SLOTS, n)).astype(np.int8)
    violates = rng.random(n, np.float32) < world.prevalence[queue]
    leaf = world.leaf_slots[queue, rng.integers(0, SLOTS, n, dtype=np.uint16)]
    true_policy = of_item(np.where(violates, leaf, -1)).astype(np.int8)
    true_action = np.where(true_policy >= 0, LEAF_ACTION[true_policy], NO_ACTION).astype(np.int8)
    harsher = (true_action > 0) & (true_action < BAN)
    harsher &= of_item(rng.random(n, np.float32)) < 0.15
    true_action += harsher

    person = np.where(human, assign(rng, world, now, day, queue, language), -1)
    confidence = np.where(machine, 1 - 0.5 * rng.random(n, np.float32) ** 2, np.nan)
    people = world.moderators
    model = (now.monday - world.first_monday) // (7 * DAY * MODEL_WEEKS)
    chance = world.settings.error_rate * 0.9 * now.queue_error[day, queue]
    chance *= now.leaf_error[day, true_policy]
    chance *= np.where(
        machine,
        (0.3 + 3.6 * (1 - confidence)) * 0.96**model,
        now.person_error[day, person] * np.where(people.language[person] == language, 0.9, 1.5),
    )
    chance = np.clip(chance, 0.002, 0.9).astype(np.float32)

    action, policy = true_action.copy(), true_policy.copy()
    error = np.zeros(n, np.int8)
    wrong = np.flatnonzero(rng.random(n, np.float32) < chance)
    action[wrong], policy[wrong], error[wrong] = mistake(
        rng, world, queue[wrong], true_action[wrong], true_policy[wrong]
    )
    error[wrong[rng.random(len(wrong)) < 0.06]] = TECHNICAL
    closed = by_type == SYSTEM
    action[closed], policy[closed], error[closed] = AUTO_CLOSE, -1, CORRECT

    handling = np.exp(rng.standard_normal(n, np.float32) * 0.7 + 3.7)
    handling = np.clip(handling, 3, decided - enqueued)
    handling = np.where(human, np.floor(np.maximum(handling, 0)), 0)
    views = np.exp(rng.standard_normal(n, np.float32) * 2 + 3)
    later_views = views * (1 + rng.random(n, np.float32))
    blind = now.broken_feed[day, queue]
    views, later_views = (
        np.where(blind, -1, counted).astype(np.int64) for counted in (views, later_views)
    )
    return {
        "number": number,
        "item": of_item(number),
        "day": day,
        "queue": queue,
        "item_type": of_item((queue + draw(rng, REGION_SLOTS, n)) % len(ITEM_TYPES)).astype(
            np.int8
        ),
        "reason": draw(rng, REASON_SLOTS, n).astype(np.int8),
        "created": created,
        "enqueued": enqueued,
        "language": np.where(blind, -1, language).astype(np.int8),
        "region": of_item(draw(rng, REGION_SLOTS, n)).astype(np.int8),
        "views": views,
        "later_views": later_views,
        "by_type": by_type,
        "person": person.astype(np.int32),
        "started": decided - handling.astype(np.int64),
        "decided": decided,
        "handling": np.where(human, handling, np.nan).astype(np.float32),
        "action": action,
        "policy": policy,
        "model": np.where(machine, model, -1).astype(np.int16),
        "confidence": confidence.astype(np.float32),
        "true_action": true_action,
        "true_policy": true_policy,
        "error": error,
        "chance": chance,
        "escalated": np.zeros(n, bool),
    }


def stride(world: World) -> int:
    """How many numbers a week may use for its ids: far more than it has decisions."""
    return 10 ** len(str(world.settings.decisions_per_day * 7 * 4 + 10_000))


def draw_own(world: World, week: int, now: Conditions) -> Batch:
    """Cases enqueued and decided in this week."""
    rng = world.random(week, OWN)
    days = now.monday + np.arange(7) * DAY
    expected = world.settings.decisions_per_day * now.queue_volume.sum(axis=1)
    volume = rng.poisson(expected * (days >= world.start) * (days < world.horizon))
    n = int(volume.sum())
    second = draw(rng, HOUR_SLOTS, n).astype(np.int64) * 3600 + rng.integers(0, 3600, n)
    decided = np.sort(np.repeat(days, volume) + second)
    return draw_cases(rng, world, now, decided, week * stride(world) + np.arange(n))


def draw_carried(world: World, week: int, now: Conditions) -> Batch:
    """Cases enqueued before this week and decided in it; none in the first week."""
    rng = world.random(week, CARRIED)
    n = int(rng.poisson(world.settings.decisions_per_day * 7 * CARRIED_SHARE)) if week > 0 else 0
    decided = now.monday + np.minimum(rng.exponential(3 * 3600, n), 6 * DAY).astype(np.int64)
    enqueued = now.monday - 1 - np.minimum(rng.exponential(5 * 3600, n), 2 * DAY).astype(np.int64)
    number = week * stride(world) + stride(world) // 2 + np.arange(n)
    return draw_cases(rng, world, now, np.sort(decided), number, enqueued)


def draw_first_looks(
    rng: np.random.Generator, world: World, now: Conditions, cases: Batch
) -> Batch:
    """Skips and escalations: an earlier look at a job that somebody else then decided."""
    spare = np.maximum(cases["started"] - np.maximum(cases["enqueued"], now.monday), 0)
    seen = np.flatnonzero(
        (cases["by_type"] == HUMAN) & (spare > 600) & (rng.random(len(spare), np.float32) < 0.035)
    )
    looks = {name: values[seen] for name, values in cases.items()}
    looks["decided"] = (
        looks["started"] - 60 - (rng.random(len(seen)) * (spare[seen] - 120)).astype(np.int64)
    )
    looks["day"] = ((looks["decided"] - now.monday) // DAY).astype(np.int8)
    looks["person"] = assign(rng, world, now, looks["day"], looks["queue"], looks["language"])
    looks["handling"] = np.minimum(20, looks["decided"] - looks["enqueued"]).astype(np.float32)
    looks["started"] = looks["decided"] - looks["handling"].astype(np.int64)
    escalated = rng.random(len(seen)) < 0.4
    looks["action"] = np.where(escalated, ESCALATE, SKIP).astype(np.int8)
    looks["policy"] = np.full(len(seen), -1, np.int8)
    looks["error"] = np.zeros(len(seen), np.int8)
    cases["escalated"][seen[escalated]] = True
    return looks


def concatenate(batches: list[Batch]) -> Batch:
    """The rows of all batches in the order of their decision times."""
    decided = np.concatenate([batch["decided"] for batch in batches])
    order = np.argsort(decided, kind="stable")
    return {name: np.concatenate([batch[name] for batch in batches])[order] for name in batches[0]}
