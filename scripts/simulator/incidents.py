"""What goes wrong in a world: kinds of incidents, when they happen, and what the truth keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .columns import DAY, N, S, real, times
from .plans import WHOLE_WEEKS, PlanError, planned
from .world import AUTOMATION, HUMAN, LANGUAGES, POLICY_IDS, SITES, VENDORS, Incident, World

LOST, STRICT, DELAYED, WIDENED = (k << 40 for k in range(1, 5))  # purposes of `chance`

# What a cell of decisions may be named by, and where a case holds it; the others are of people.
FIELDS = {
    "queue": "queue",
    "truth_policy": "true_policy",
    "language": "language",
    "decided_by": "by_type",
    "model_version": "model",
}
OF_PEOPLE = ("vendor", "site")
# Names of the truth's column `dimension` that are those of raw columns.
RAW_NAMES = {"queue": "queue_id", "truth_policy": "policy_id", "auditor": "auditor_id"}
# Tenure in the window of new hires, as the layer's band calls it.
NEW_HIRES = "tenure_band=000-030 days"


@dataclass(frozen=True)
class Kind:
    """A kind of incident: what a plan may say of it, and what its size means."""

    meaning: str
    sizes: tuple[float, float, float]  # usual, least, most
    places: tuple[str, ...] = ()  # what a place may be named by
    pairs: tuple[int, int] = (1, 1)  # how many of them, least and most
    table: str = ""  # where it is when it has no place
    changes_accuracy: bool = False


def _everywhere(table: str, meaning: str, *sizes: float) -> Kind:
    return Kind(meaning, sizes, pairs=(0, 0), table=table)


ERRORS = (3.0, 0.05, 20.0)
KINDS = {
    "accuracy_change": Kind(
        "error rate multiplied by size",
        ERRORS,
        (*FIELDS, *OF_PEOPLE),
        (1, 2),
        changes_accuracy=True,
    ),
    "queue_accuracy_drop": Kind(
        "error rate multiplied by size",
        (4.0, *ERRORS[1:]),
        ("queue",),
        changes_accuracy=True,
    ),
    "policy_change": Kind(
        "version 2 begins; error rate times size",
        (2.5, *ERRORS[1:]),
        ("truth_policy",),
        changes_accuracy=True,
    ),
    "vendor_cohort": Kind(
        "new hires' error rate multiplied by size",
        (2.2, *ERRORS[1:]),
        ("vendor",),
        changes_accuracy=True,
    ),
    "scope_change": Kind(
        "a version begins; items that violate multiplied by size",
        (2.0, 1.05, 10),
        ("truth_policy",),
    ),
    "strict_auditor": Kind(
        "size = share of right decisions that the auditor calls wrong", (0.3, 0.01, 1), ("auditor",)
    ),
    "audit_plan_change": Kind(
        "weekly plan audits the queue size times as often", (3.0, 0.1, 10), ("queue",)
    ),
    "late_audits": Kind(
        "audits of its decisions come up to size days later",
        (30.0, 1, 60),
        ("queue",),
        (0, 1),
        table="audits",
    ),
    "partial_loss": Kind("size = share of the rows never delivered", (0.3, 0.01, 0.99), ("queue",)),
    "doubled_delivery": _everywhere("decisions", "rows delivered size times", 2, 2, 2),
    "mix_shift": Kind("volume multiplied by size", (2.5, 0.1, 10), ("queue",)),
    "backlog_surge": Kind(
        "people's time to a decision multiplied by size", (4.0, 0.1, 20), ("queue",)
    ),
    "missing_day": _everywhere(
        "statements_of_reasons", "size = share of the rows never delivered", 1, 1, 1
    ),
    "bulk_close": _everywhere(
        "decisions", "size = share of jobs that the system closes", 0.3, 0.02, 0.95
    ),
    "lost_restores": _everywhere(
        "appeals", "size = share of granted appeals not restored", 1, 1, 1
    ),
    "broken_feed": Kind("size = share of rows without language and views", (1, 1, 1), ("queue",)),
}
# Lasts from its begin to the end of the world.
LASTING = ("scope_change",)
NEW_VERSION = ("policy_change", "scope_change")

# When (share of the world), days, kind; each of its usual size. In the sample, of 2,000 decisions a
# day, audits can show the drop, and neither the policy change nor the cohort: see `detectability`.
DEFAULT_PLAN = [
    (0.12, 7, "mix_shift"),
    (0.26, 1, "missing_day"),
    (0.36, 14, "policy_change"),
    (0.47, 7, "backlog_surge"),
    (0.55, 14, "queue_accuracy_drop"),
    (0.62, 28, "vendor_cohort"),
    (0.70, 1, "bulk_close"),
    (0.78, 3, "lost_restores"),
    (0.86, 2, "broken_feed"),
]

SHORT_DROP = (4, 3.0)  # days and size

CLEAN_DAYS = 84  # of a random plan
RANDOM_KINDS = {  # share, days from and to
    "accuracy_change": (0.66, 1, 60),
    "policy_change": (0.06, 7, 60),
    "vendor_cohort": (0.06, 14, 28),
    "scope_change": (0.02, 1, 1),
    "strict_auditor": (0.03, 7, 42),
    "audit_plan_change": (0.03, 7, 28),
    "late_audits": (0.02, 1, 21),
    "partial_loss": (0.02, 1, 7),
    "doubled_delivery": (0.02, 1, 3),
    "mix_shift": (0.02, 3, 14),
    "backlog_surge": (0.01, 3, 14),
    "missing_day": (0.01, 1, 2),
    "bulk_close": (0.02, 1, 2),
    "broken_feed": (0.02, 1, 3),
}
RANDOM_CELLS = {
    ("queue",): 0.2,
    ("truth_policy",): 0.15,
    ("vendor",): 0.12,
    ("site",): 0.08,
    ("language",): 0.1,
    ("decided_by",): 0.06,
    ("model_version",): 0.05,
    ("queue", "vendor"): 0.12,
    ("queue", "truth_policy"): 0.06,
    ("language", "queue"): 0.06,
}


def places(world: World) -> dict[str, dict[str, int]]:
    """What a place may be named by, and the code of each value that it may have."""
    audits = [i for i, tier in enumerate(world.auditor_tier) if tier < 3]
    models = sorted({world.model(week) for week in range(world.weeks)})
    return {
        "queue": _numbered(world.queue_ids),
        "truth_policy": _numbered(POLICY_IDS),
        "vendor": _numbered(VENDORS),
        "site": _numbered(SITES),
        "language": _numbered(LANGUAGES),
        "decided_by": {"human": HUMAN, "automation": AUTOMATION},
        "model_version": {f"model-1.{i}": i for i in models},
        "auditor": {world.auditors.ids[i]: i for i in audits},
    }


def _numbered(names: list[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(names)}


# --- when ---------------------------------------------------------------------------------------


def schedule(world: World) -> World:
    """The world with its incidents, by its settings; raises PlanError where a plan is wrong."""
    plan = world.settings.incidents
    if plan == "default":
        found = _default(world)
    elif plan == "random":
        found = _random(world)
    else:
        found = planned(world, KINDS, LASTING, places(world), [] if plan == "none" else plan)
    if plan != "default":
        _make_room(world, found)
    begun = {(i.code, i.starts_at) for i in found if i.kind in NEW_VERSION}
    quiet = [new for new in world.revised_policies if new[0] not in {leaf for leaf, _ in begun}]
    world.revised_policies = [*sorted(begun), *quiet]
    cohorts = 0
    for incident in found:
        if incident.kind == "vendor_cohort":
            if _hire_cohort(world, incident, cohorts):
                cohorts += 1
            elif isinstance(plan, list):
                raise PlanError(["vendor_cohort: too few moderators to hire another tenth of them"])
            else:
                continue
        world.incidents.append(incident)
    world.incidents.sort(key=lambda incident: incident.starts_at)
    return world


def _make_room(world: World, found: list[Incident]) -> None:
    """Let ids have room for the volume of a plan's mix shifts."""
    shifts = [i for i in found if i.kind == "mix_shift" and i.size > 1]
    world.peak *= 1 + sum((i.size - 1) * world.queue_mix[i.code] for i in shifts)


def _default(world: World) -> list[Incident]:
    """Spread the incidents over the world; a world too short for one leaves it out."""
    days = world.settings.days
    hard = int(np.argmax(world.queue_difficulty))
    # The drop hits another queue than the mix shift, so that the two can be told apart.
    dropped = next(int(q) for q in world.queue_mix.argsort()[::-1] if q != hard)
    place = {
        "mix_shift": ("queue", hard),
        "policy_change": ("truth_policy", int(np.argmax(world.leaf_mix.T @ world.queue_mix))),
        "backlog_surge": ("queue", int(np.argmax(world.queue_mix))),
        "queue_accuracy_drop": ("queue", dropped),
        "vendor_cohort": ("vendor", 2),
        "broken_feed": ("queue", int(np.flatnonzero(world.queue_tier == 0)[-1])),
    }
    rounds, found = max(1, days // 182), []
    for turn in range(rounds):
        for when, usual, kind in DEFAULT_PLAN:
            offset = int((turn + when) * days / rounds)
            length, size = usual, KINDS[kind].sizes[0]
            if kind == "queue_accuracy_drop":  # on any day; short where it would take too long
                length, size = (usual, size) if days >= 84 else SHORT_DROP
            elif length >= 7:  # whole weeks begin on a Monday
                offset -= (world.start + offset * DAY - world.first_monday) // DAY % 7
            starts = world.start + max(offset, 0) * DAY
            ends = starts + length * DAY
            fits = length <= days / 4 and ends <= world.horizon
            if fits and not (kind == "policy_change" and turn):  # there is one version 2
                there = (place[kind],) if kind in place else ()
                found.append(Incident(kind, starts, ends, there, size))
    return found


def _random(world: World) -> list[Incident]:
    """About one incident in 25 days after a clean start, of a kind, place, size and length."""
    rng = world.random(-1, 0)
    found, free = [], float(CLEAN_DAYS)
    kinds = list(RANDOM_KINDS)
    share, least, most = (np.array([RANDOM_KINDS[k][i] for k in kinds]) for i in range(3))
    while True:
        gap = rng.exponential(11)
        # One in ten begins while the one before it lasts.
        begin = int(free - gap / 2 if found and rng.random() < 0.1 else free + gap)
        begin = max(begin, CLEAN_DAYS)
        which = rng.choice(len(kinds), p=share / share.sum())
        days = round(math.exp(rng.uniform(math.log(least[which]), math.log(most[which] + 0.49))))
        if kinds[which] == WHOLE_WEEKS:
            begin += (world.first_monday - world.start) // DAY % 7 - begin % 7
            begin, days = begin + 7 * (begin < CLEAN_DAYS), -(-days // 7) * 7
        if begin >= world.settings.days:
            return found
        incident = _drawn(world, rng, kinds[which], begin, days)
        found.append(incident)
        # What lasts to the end leaves room for others.
        lasts = 1 if incident.kind in LASTING else (incident.ends_at - incident.starts_at) / DAY
        free = max(free, (incident.starts_at - world.start) / DAY + lasts)


def _drawn(
    world: World,
    rng: np.random.Generator,
    kind: str,
    begin: int,
    days: int,
) -> Incident:
    """An incident of a random plan: its place and size."""
    known = places(world)
    usual, least, most = KINDS[kind].sizes
    names = KINDS[kind].places
    if kind == "accuracy_change":
        cells, weights = list(RANDOM_CELLS), np.array(list(RANDOM_CELLS.values()))
        names = cells[rng.choice(len(cells), p=weights / weights.sum())]
    starts = world.start + begin * DAY
    ends = world.horizon if kind in LASTING else min(starts + days * DAY, world.horizon)
    place = []
    for name in names:
        code = int(rng.choice(list(known[name].values())))
        if name == "model_version":  # the one that is in use
            code = world.model(_week(world, starts))
            while ends > starts + DAY and world.model(_week(world, ends - DAY)) != code:
                ends -= DAY
        place.append((name, code))
    u = rng.random()
    if KINDS[kind].changes_accuracy:
        # Of eight, one is an improvement.
        better = kind == "accuracy_change" and rng.random() < 0.125
        size = rng.uniform(0.2, 0.7) if better else 1.25 + 3.75 * u
    else:
        size = usual if least == most else float(np.clip(usual * 2 ** (u - 0.5), least, most))
    ramp = kind == "accuracy_change" and days >= 14 and bool(rng.random() < 0.25)
    return Incident(kind, starts, ends, tuple(place), round(float(size), 2), ramp)


def _week(world: World, at: int) -> int:
    return (at - world.first_monday) // (7 * DAY)


def _hire_cohort(world: World, incident: Incident, turn: int) -> bool:
    """Let a tenth of the people start together at one vendor; false where there are too few."""
    people = world.moderators
    tenth = max(2, len(people.ids) // 10)
    stop = len(people.ids) - turn * tenth
    cohort = np.arange(max(len(world.queue_ids), stop - tenth), stop)
    people.hired[cohort], people.vendor[cohort] = incident.starts_at, incident.code
    people.moved[cohort] = -1
    return len(cohort) > 0


# --- what it does -------------------------------------------------------------------------------


def factors(world: World, week: int) -> dict[int, np.ndarray]:
    """By what each incident multiplies the error rate on a week's days, by its place in the list.

    A slow drift grows evenly, to its size on its last day.
    """
    days = world.monday(week) + np.arange(7) * DAY
    found = {}
    for i, incident in enumerate(world.incidents):
        touched = incident.during(days)
        if KINDS[incident.kind].changes_accuracy and touched.any():
            length = (incident.ends_at - incident.starts_at) // DAY
            grown = ((days - incident.starts_at) // DAY + 1) / length if incident.ramp else 1.0
            found[i] = np.where(touched, 1 + (incident.size - 1) * grown, 1.0)
    return found


def is_of_people(incident: Incident) -> bool:
    """Whether it follows people, whatever they work on: at golden items and in sessions too."""
    return all(name in OF_PEOPLE for name, _ in incident.place)


def members(world: World, incident: Incident) -> np.ndarray:
    """The moderators whom a place names, as booleans."""
    people = world.moderators
    if incident.kind == "vendor_cohort":
        return people.hired == incident.starts_at
    found = np.ones(len(people.ids), bool)
    for name, code in incident.place:
        if name in OF_PEOPLE:
            found &= getattr(people, name) == code
    return found


def in_cell(world: World, incident: Incident, cases: dict[str, np.ndarray]) -> np.ndarray:
    """Which cases are where it happened."""
    inside = np.ones(len(cases["queue"]), bool)
    for name, code in incident.place:
        if name in FIELDS:
            inside &= cases[FIELDS[name]] == code
    if any(name in OF_PEOPLE for name, _ in incident.place):
        inside &= (cases["person"] >= 0) & members(world, incident)[cases["person"]]
    return inside


# --- the truth ----------------------------------------------------------------------------------


def cell(world: World, incident: Incident) -> str | None:
    """Where it can be seen, as pairs of a reporting dimension and its value, sorted by name."""
    known = places(world)
    pairs = [f"{name}={_value(known, name, code)}" for name, code in incident.place]
    if incident.kind == "vendor_cohort":
        pairs.append(NEW_HIRES)
    return "|".join(sorted(pairs)) if pairs and incident.kind != "strict_auditor" else None


def _value(known: dict[str, dict[str, int]], name: str, code: int) -> str:
    return next(value for value, of in known[name].items() if of == code)


def detectability(n: float, e0: float, multiple: float) -> float:
    """How clearly n audits show an error rate of e0 times a multiple: its excess by its noise.

    The noise is that of drawing and a tenth of natural variation. Negative for an improvement.
    """
    expected = n * e0
    if not expected:
        return 0.0
    noise = math.sqrt(expected * (1 - e0) + (0.1 * expected) ** 2)
    return expected * (multiple - 1) / noise


def incident_table(world: World, audited: dict[int, np.ndarray]) -> pa.Table:
    """Truth: one row per incident, with its window (half-open, UTC), place and size.

    audited: of each that changes accuracy its audits, and the errors to be expected of them
    without it and with it.
    """
    found, known = world.incidents, places(world)
    n = len(found)
    n_audits, e0, multiple, shown = ([None] * n for _ in range(4))
    for i, incident in enumerate(found):
        if KINDS[incident.kind].changes_accuracy:
            audits, before, after = audited.get(i, np.zeros(3)).tolist()
            n_audits[i] = int(audits)
            e0[i] = before / audits if audits else None
            multiple[i] = after / before if before else incident.size
            shown[i] = detectability(audits, e0[i] or 0, multiple[i])
    dimension, value = [], []
    for incident in found:
        there = incident.place
        names = "|".join(RAW_NAMES.get(name, name) for name, _ in there)
        values = "|".join(_value(known, name, code) for name, code in there)
        dimension.append(names if there else "table_name")
        value.append(values if there else KINDS[incident.kind].table)
    return pa.table(
        {
            "incident_id": pa.array([f"inc-{i + 1:02d}" for i in range(n)], S),
            "kind": pa.array([i.kind for i in found], S),
            "starts_at": times(np.array([i.starts_at for i in found], np.int64)),
            "ends_at": times(np.array([i.ends_at for i in found], np.int64)),
            "dimension": pa.array(dimension, S),
            "dimension_value": pa.array(value, S),
            "size": real(np.array([i.size for i in found])),
            "description": pa.array([KINDS[i.kind].meaning for i in found], S),
            "cell": pa.array([cell(world, i) for i in found], S),
            "n_audits": pa.array(n_audits, N),
            "e0": pa.array(e0, pa.float64()),
            "multiple": pa.array(multiple, pa.float64()),
            "detectability": pa.array(shown, pa.float64()),
        }
    )
