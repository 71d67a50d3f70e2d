"""Cases (a job with its decision) of one week, as arrays; one row per case, times in epoch seconds.

A week can be simulated alone, in any order and process. What crosses from one week into the next
(jobs enqueued on Sunday and decided on Monday) is drawn from its own random stream, by both weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from .columns import DAY
from .incidents import FIELDS, WIDENED, factors, in_cell, is_of_people, members
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
    LEAF_PARENT,
    NO_ACTION,
    REGION_MIX,
    SKIP,
    SLOTS,
    SYSTEM,
    TIER_TARGETS,
    World,
    chance,
    slots,
)

ERROR_CLASSES = ["correct", "false_positive", "false_negative", "wrong_selection", "technical"]
CORRECT, FALSE_POSITIVE, FALSE_NEGATIVE, WRONG_SELECTION, TECHNICAL = range(5)

# The parts of a week, each with its own random stream.
OWN, CARRIED, QUALITY, PEOPLE, VARIATION, INVENTED = range(6)
CARRIED_SHARE = 0.025
MOST_CHANCE = 0.9  # that a decision is wrong
DAY_FACTOR = np.array([1.07, 1.12, 1.12, 1.10, 1.04, 0.81, 0.74])
HOUR_SLOTS = slots(1 + 0.75 * np.sin((np.arange(24) - 8) * np.pi / 12))[0]
LANGUAGE_SLOTS, REGION_SLOTS = slots(LANGUAGE_MIX)[0], slots(REGION_MIX)[0]
REASON_SLOTS = slots(ENQUEUE_MIX)[0]
HOLIDAYS = [(1, 1), (5, 1), (12, 25), (12, 26)]  # month and day
SIBLINGS = np.stack([np.flatnonzero(parent == LEAF_PARENT) for parent in LEAF_PARENT])

Batch = dict[str, np.ndarray]


@dataclass
class Week:
    """A week of the world: who works on its days, and how error-prone everything is."""

    world: World
    number: int
    monday: int  # its first instant, epoch seconds
    queue_volume: np.ndarray  # (day, queue), relative to an average day's total of 1
    swing: np.ndarray  # (day,) of the volume by season and growth, 1 where there is neither
    queue_error: np.ndarray  # (queue,)
    person_error: np.ndarray  # (day, person)
    factors: dict[int, np.ndarray]  # (day,) of the error rate, by place in the world's incidents
    on_shift: np.ndarray  # (day, person)
    rota: np.ndarray  # (day, queue, place) persons
    rota_size: np.ndarray  # (day, queue)
    auto_close: np.ndarray  # (day,) share
    broken_feed: np.ndarray  # (day, queue)
    slowness: np.ndarray  # (day, queue), of people, 1 where nothing is wrong
    audit_appetite: np.ndarray  # (queue,) of the plan, 1 where nothing changed


def week_of(world: World, number: int) -> Week:
    """A week and its conditions, incidents included."""
    people, n_queues = world.moderators, len(world.queue_ids)
    monday = world.monday(number)
    days = monday + np.arange(7) * DAY
    swing = _swing(world, days)
    volume = np.tile(world.queue_mix, (7, 1)) * DAY_FACTOR[:, None] * swing[:, None]
    # Weeks differ by nature: log-normal around the queue's own error rate.
    spread = np.sqrt(np.log1p(world.settings.variation**2))
    drawn = world.random(number, VARIATION).standard_normal(n_queues)
    queue_error = world.queue_difficulty * np.exp(spread * drawn - spread**2 / 2)
    tenure = (days[:, None] - people.hired[None, :]) / DAY
    person_error = people.error_factor * (1 + 0.8 * np.exp(-np.maximum(tenure, 0) / 45))
    auto_close, broken = np.full(7, 0.012), np.zeros((7, n_queues), bool)
    slowness, appetite = np.ones((7, n_queues)), np.ones(n_queues)

    for incident, when in world.during("mix_shift", number):
        volume[when, incident.code] *= incident.size
    changed = factors(world, number)
    for i, by_day in changed.items():
        if is_of_people(world.incidents[i]):
            person_error[:, members(world, world.incidents[i])] *= by_day[:, None]
    for incident, when in world.during("bulk_close", number):
        auto_close[when] = incident.size
    for incident, when in world.during("broken_feed", number):
        broken[when, incident.code] = True
    for incident, when in world.during("backlog_surge", number):
        slowness[when, incident.code] = incident.size
    for incident, _ in world.during("audit_plan_change", number):
        appetite[incident.code] *= incident.size

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
    return Week(
        world=world,
        number=number,
        monday=monday,
        queue_volume=volume,
        swing=swing,
        queue_error=queue_error,
        person_error=person_error,
        factors=changed,
        on_shift=on_shift,
        rota=rota,
        rota_size=size,
        auto_close=auto_close,
        broken_feed=broken,
        slowness=slowness,
        audit_appetite=appetite,
    )


def _swing(world: World, days: np.ndarray) -> np.ndarray:
    """The volume of days beside the average one: most in December, little on holidays, growing."""
    settings = world.settings
    dates = [datetime.fromtimestamp(int(day), UTC) for day in days]
    of_year = np.array([day.timetuple().tm_yday for day in dates])
    off = np.array([(day.month, day.day) in HOLIDAYS for day in dates])
    seasonal = 1 + settings.season * np.sin((of_year - 258) * 2 * np.pi / 365.25)
    seasonal *= np.where(off, max(1 - 2 * settings.season, 0.1), 1)
    return seasonal * (1 + settings.growth) ** (np.maximum(days - world.start, 0) / DAY / 365)


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
    rng: np.random.Generator, week: Week, day: np.ndarray, queue: np.ndarray, language: np.ndarray
) -> np.ndarray:
    """Who decides: somebody on shift for the queue; of two, the one who reads the language."""
    size = week.rota_size[day, queue]
    first, second = (
        week.rota[day, queue, (rng.random(len(day), np.float32) * size).astype(np.int32)]
        for _ in range(2)
    )
    return np.where(week.world.moderators.language[first] == language, first, second)


def draw_cases(
    rng: np.random.Generator,
    week: Week,
    decided: np.ndarray,
    number: np.ndarray,
    enqueued: np.ndarray | None = None,
) -> Batch:
    """Jobs with their decisions, one each, for given (sorted) decision times.

    Where `enqueued` is not given it is drawn, within the week; where it is, people decide.
    """
    n, world = len(decided), week.world
    day = ((decided - week.monday) // DAY).astype(np.int8)
    place = rng.integers(0, SLOTS, n, dtype=np.uint16)
    queue = slots(week.queue_volume)[day, place].astype(np.int8)
    if enqueued is None:
        u, closes = rng.random(n, np.float32), week.auto_close[day]
        automated = closes + (1 - closes) * world.automation_share[queue]
        by_type = np.where(u < closes, SYSTEM, np.where(u < automated, AUTOMATION, HUMAN))
        target = np.array([minutes for minutes, _ in TIER_TARGETS])[world.queue_tier] * 60
        people = 0.3 * target[queue] * week.slowness[day, queue]
        typical = np.where(by_type == HUMAN, people, np.where(by_type == 1, 30, DAY))
        wait = typical * np.exp(rng.standard_normal(n, np.float32) * 0.9)
        room = decided - week.monday
        # What would have begun last week begins somewhere in this one.
        wait = np.where(wait < room, wait, rng.random(n, np.float32) * room)
        enqueued = decided - wait.astype(np.int64)
    else:
        by_type = np.full(n, HUMAN)
    cases = {
        "number": number,
        "day": day,
        "queue": queue,
        "by_type": by_type.astype(np.int8),
        "enqueued": enqueued,
        "decided": decided,
        "reason": draw(rng, REASON_SLOTS, n).astype(np.int8),
        "escalated": np.zeros(n, bool),
    }
    cases |= _items(rng, week, cases)
    _widen_scope(world, cases)
    cases |= _decide(rng, week, cases)
    # A broken feed loses columns on their way out; people saw the items as they are.
    lost = week.broken_feed[day, queue]
    for name in ("language", "views", "later_views"):
        cases[name][lost] = -1
    return cases


def _items(rng: np.random.Generator, week: Week, cases: Batch) -> Batch:
    """What the jobs are about, and what would be right to do."""
    n, queue, enqueued = len(cases["queue"]), cases["queue"], cases["enqueued"]
    # Some items come back: the same item, another job.
    source = np.arange(n)
    again = np.flatnonzero(rng.random(n, np.float32) < 0.03)
    earlier = (rng.random(len(again)) * again).astype(np.int64)
    unique = ~np.isin(earlier, again)
    source[again[unique]] = earlier[unique]

    created = enqueued - np.exp(rng.standard_normal(n, np.float32) + 9).astype(np.int64)
    violates = rng.random(n, np.float32) < week.world.prevalence[queue]
    leaf = week.world.leaf_slots[queue, rng.integers(0, SLOTS, n, dtype=np.uint16)]
    policy = np.where(violates, leaf, -1).astype(np.int8)
    action = np.where(violates, LEAF_ACTION[policy], NO_ACTION).astype(np.int8)
    action += violates & (action < BAN) & (rng.random(n, np.float32) < 0.15)
    views = np.exp(rng.standard_normal(n, np.float32) * 2 + 3)
    item_type = (queue + draw(rng, REGION_SLOTS, n)) % len(ITEM_TYPES)
    items = {
        "item": cases["number"],
        "item_type": item_type.astype(np.int8),
        "created": created,
        "language": draw(rng, LANGUAGE_SLOTS, n).astype(np.int8),
        "region": draw(rng, REGION_SLOTS, n).astype(np.int8),
        "true_action": action,
        "true_policy": policy,
    }
    items = {name: values[source] for name, values in items.items()}
    return items | {
        "enqueued": np.maximum(enqueued, items["created"]),
        "views": views.astype(np.int64),
        "later_views": (views * (1 + rng.random(n, np.float32))).astype(np.int64),
    }


def _widen_scope(world: World, cases: Batch) -> None:
    """Let what a new version counts as violating be so, for decisions taken since it began."""
    for incident in world.of_kind("scope_change"):
        leaf, queue = incident.code, cases["queue"]
        violating = world.prevalence * world.leaf_mix[:, leaf] / world.leaf_mix.sum(axis=1)
        more = (incident.size - 1) * violating / (1 - world.prevalence)
        new = (cases["true_policy"] < 0) & incident.during(cases["decided"])
        new &= chance(world.settings.seed, cases["item"], WIDENED + leaf) < more[queue]
        cases["true_policy"][new], cases["true_action"][new] = leaf, LEAF_ACTION[leaf]


def _decide(rng: np.random.Generator, week: Week, cases: Batch) -> Batch:
    """Who decides what, and whether it is right."""
    world, people, n = week.world, week.world.moderators, len(cases["queue"])
    day, queue, language = cases["day"], cases["queue"], cases["language"]
    human, machine = cases["by_type"] == HUMAN, cases["by_type"] == AUTOMATION
    person = np.where(human, assign(rng, week, day, queue, language), -1)
    confidence = np.where(machine, 1 - 0.5 * rng.random(n, np.float32) ** 2, np.nan)
    model = world.model(week.number)

    foreign = np.where(people.language[person] == language, 0.9, 1.5)
    # Newcomers and foreign languages add an eighth to the error rate: start below it.
    uncapped = 0.88 * world.settings.error_rate * week.queue_error[queue]
    uncapped *= world.leaf_difficulty[cases["true_policy"]]
    uncapped *= np.where(
        machine,
        (0.3 + 3.6 * (1 - confidence)) * 0.96**model,
        week.person_error[day, person] * foreign,
    )
    who = {"person": person, "model": np.where(machine, model, -1)}
    for i, by_day in week.factors.items():
        if not is_of_people(world.incidents[i]):
            inside = in_cell(world, world.incidents[i], cases | who)
            uncapped[inside] *= by_day[day[inside]]
    chance = np.minimum(uncapped, MOST_CHANCE).astype(np.float32)

    action, policy = cases["true_action"].copy(), cases["true_policy"].copy()
    error = np.zeros(n, np.int8)
    wrong = np.flatnonzero(rng.random(n, np.float32) < chance)
    action[wrong], policy[wrong], error[wrong] = mistake(
        rng, world, queue[wrong], action[wrong], policy[wrong]
    )
    error[wrong[rng.random(len(wrong)) < 0.06]] = TECHNICAL
    closed = cases["by_type"] == SYSTEM
    action[closed], policy[closed], error[closed] = AUTO_CLOSE, -1, CORRECT

    handling = np.maximum(np.exp(rng.standard_normal(n, np.float32) * 0.7 + 3.7), 3)
    handling = np.minimum(handling, cases["decided"] - cases["enqueued"])
    handling = np.where(human, np.floor(handling), 0).astype(np.int64)
    return {
        "person": person.astype(np.int32),
        "started": cases["decided"] - handling,
        "handling": np.where(human, handling, np.nan).astype(np.float32),
        "action": action,
        "policy": policy,
        "model": who["model"].astype(np.int16),
        "confidence": confidence.astype(np.float32),
        "error": error,
        "chance": chance,
        "uncapped": uncapped.astype(np.float32),
    }


def evidence(week: Week, decisions: Batch, audited: np.ndarray) -> dict[int, np.ndarray]:
    """What audits can show of each incident that changes accuracy, by its place in the list.

    Its audits, and the errors to be expected of them without it and with it. `audited` are the
    rows of decisions, one for each audit.
    """
    world, found = week.world, {}
    fields = [*FIELDS.values(), "person", "day", "decided", "chance", "uncapped"]
    rows = {name: decisions[name][audited] for name in fields}
    for i, by_day in week.factors.items():
        incident = world.incidents[i]
        inside = in_cell(world, incident, rows) & incident.during(rows["decided"])
        usual = rows["uncapped"][inside].astype(float) / by_day[rows["day"][inside]]
        expected = np.minimum(usual, MOST_CHANCE).sum(), rows["chance"][inside].sum(dtype=float)
        found[i] = np.array([inside.sum(), *expected])
    return found


def first_id(week: Week, eighth: int = 0) -> int:
    """Where the numbers of a week's ids begin, in an eighth of its range.

    A week's range is far wider than it has decisions, so that weeks need not know of each other.
    """
    most = int(week.world.settings.decisions_per_day * week.world.peak)
    width = 10 ** len(str(most * 7 * 4 + 10_000))
    return week.number * width + eighth * width // 8


def draw_own(week: Week) -> Batch:
    """Cases enqueued and decided in this week."""
    world = week.world
    rng = world.random(week.number, OWN)
    days = week.monday + np.arange(7) * DAY
    expected = world.settings.decisions_per_day * week.queue_volume.sum(axis=1)
    volume = rng.poisson(expected * (days >= world.start) * (days < world.horizon))
    n = int(volume.sum())
    second = draw(rng, HOUR_SLOTS, n).astype(np.int64) * 3600 + rng.integers(0, 3600, n)
    decided = np.sort(np.repeat(days, volume) + second)
    return draw_cases(rng, week, decided, first_id(week) + np.arange(n))


def draw_carried(week: Week) -> Batch:
    """Cases enqueued before this week and decided in it; none in the first week."""
    world = week.world
    rng = world.random(week.number, CARRIED)
    n = (
        int(rng.poisson(world.settings.decisions_per_day * 7 * CARRIED_SHARE * week.swing.mean()))
        if week.number > 0
        else 0
    )
    decided = week.monday + np.minimum(rng.exponential(3 * 3600, n), 6 * DAY).astype(np.int64)
    enqueued = week.monday - 1 - np.minimum(rng.exponential(5 * 3600, n), 2 * DAY).astype(np.int64)
    number = first_id(week, 4) + np.arange(n)
    return draw_cases(rng, week, np.sort(decided), number, enqueued)


def draw_first_looks(rng: np.random.Generator, week: Week, cases: Batch) -> Batch:
    """Skips and escalations: an earlier look at a job that somebody else then decided."""
    spare = np.maximum(cases["started"] - np.maximum(cases["enqueued"], week.monday), 0)
    seen = np.flatnonzero(
        (cases["by_type"] == HUMAN) & (spare > 600) & (rng.random(len(spare), np.float32) < 0.035)
    )
    looks = {name: values[seen] for name, values in cases.items()}
    looks["decided"] = (
        looks["started"] - 60 - (rng.random(len(seen)) * (spare[seen] - 120)).astype(np.int64)
    )
    looks["day"] = ((looks["decided"] - week.monday) // DAY).astype(np.int8)
    looks["person"] = assign(rng, week, looks["day"], looks["queue"], looks["language"])
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
