"""What does not change from week to week: settings, policies, queues and people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from .columns import DAY, RAW_TABLES, D, S, T, coded, dates, raw_table, real, times

ACTIONS = [
    "no_action",
    "label",
    "age_restrict",
    "demote",
    "restrict",
    "remove",
    "warn",
    "suspend",
    "ban",
    "escalate",
    "skip",
    "auto_close",
    "reverse",
    "uphold",
    "demonetise",
]
NO_ACTION, REMOVE, WARN, SUSPEND, BAN = 0, 5, 6, 7, 8
ESCALATE, SKIP, AUTO_CLOSE, REVERSE, UPHOLD, DEMONETISE = 9, 10, 11, 12, 13, 14
HUMAN, AUTOMATION, SYSTEM = 0, 1, 2
DECIDED_BY = ["human", "automation", "system"]
SEVERITIES = ["none", "low", "medium", "high", "severe"]

# parent: (name, ledger category, leaves); leaf: (id, severity, action, how easily it is mistaken)
POLICY_TREE = {
    "hate": (
        "Hate",
        "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
        [
            ("slurs", "high", "remove", 0.7),
            ("dehumanisation", "severe", "suspend", 1.2),
            ("stereotypes", "medium", "demote", 1.9),
        ],
    ),
    "harassment": (
        "Harassment",
        "STATEMENT_CATEGORY_CYBER_VIOLENCE",
        [
            ("threats", "severe", "ban", 0.9),
            ("doxxing", "high", "remove", 0.8),
            ("insults", "low", "warn", 1.7),
        ],
    ),
    "violence": (
        "Violence",
        "STATEMENT_CATEGORY_VIOLENCE",
        [
            ("incitement", "severe", "suspend", 1.3),
            ("graphic", "medium", "age_restrict", 0.8),
            ("glorification", "high", "remove", 1.5),
        ],
    ),
    "adult": (
        "Adult content",
        "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT",
        [
            ("nudity", "medium", "age_restrict", 0.7),
            ("solicitation", "high", "remove", 1.1),
            ("suggestive", "low", "label", 1.8),
        ],
    ),
    "fraud": (
        "Spam and fraud",
        "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
        [
            ("scam", "high", "ban", 0.8),
            ("spam", "low", "remove", 0.4),
            ("impersonation", "medium", "suspend", 1.2),
        ],
    ),
    "self_harm": (
        "Self-harm",
        "STATEMENT_CATEGORY_SELF_HARM",
        [
            ("promotion", "severe", "remove", 1.2),
            ("depiction", "high", "restrict", 1.0),
            ("eating_disorders", "medium", "demote", 1.6),
        ],
    ),
}
LEAVES = [
    (f"{parent}.{leaf}", parent, severity, action, difficulty)
    for parent, (_, _, leaves) in POLICY_TREE.items()
    for leaf, severity, action, difficulty in leaves
]
POLICY_IDS = [leaf[0] for leaf in LEAVES]
LEAF_PARENT = np.array([list(POLICY_TREE).index(leaf[1]) for leaf in LEAVES], np.int8)
LEAF_SEVERITY = np.array([SEVERITIES.index(leaf[2]) for leaf in LEAVES], np.int8)
LEAF_ACTION = np.array([ACTIONS.index(leaf[3]) for leaf in LEAVES], np.int8)
LEAF_DIFFICULTY = np.array([leaf[4] for leaf in LEAVES])
LEDGER_CATEGORIES = [category for _, category, _ in POLICY_TREE.values()]

ITEM_TYPES = ["post", "comment", "image", "video", "profile", "listing"]
LANGUAGES, LANGUAGE_MIX = ["en", "es", "de", "fr", "ar"], [0.52, 0.18, 0.12, 0.10, 0.08]
REGIONS, REGION_MIX = ["eu", "na", "latam", "mena", "apac"], [0.34, 0.27, 0.17, 0.10, 0.12]
ENQUEUE_REASONS = [
    "user_report",
    "trusted_flagger",
    "authority_order",
    "proactive_model",
    "rule",
    "sample",
    "escalation",
    "appeal",
]
ESCALATION_REASON, APPEAL_REASON = 6, 7
ENQUEUE_MIX = [0.50, 0.03, 0.01, 0.32, 0.11, 0.03]
QUEUE_NAMES = [
    "User reports",
    "Urgent harm",
    "Proactive text",
    "Images and video",
    "Marketplace",
    "Profiles",
    "Trusted flaggers",
    "New accounts",
]
APPEALS_QUEUE = "appeals"
APPEALS_TARGET = 7 * 24 * 60.0  # minutes
SITES = ["lisbon", "manila", "dublin"]
VENDORS = ["in_house", "vendor_a", "vendor_b"]
TIERS, TIER_TARGETS = (
    ["high", "medium", "low"],
    [(240.0, 0.95), (720.0, 0.93), (1440.0, 0.90)],
)
ROLES = ["moderator", "auditor", "senior_auditor", "expert"]

MODEL_WEEKS = 6  # a new model version every six weeks, each with 4 % fewer errors
SLOTS = 4096  # categorical draws look a code up in a table of this many equal slots


@dataclass(frozen=True)
class Settings:
    """What a user may choose. The files depend on nothing else."""

    seed: int = 7
    start: date = date(2026, 3, 2)
    days: int = 126
    decisions_per_day: int = 2000
    moderators: int = 120
    queues: int = 8
    automation_share: float = 0.35
    error_rate: float = 0.07
    audit_rate: float = 0.025
    auditor_error_rate: float = 0.005
    auditor_strictness: float = 0.0
    variation: float = 0.0
    season: float = 0.0
    growth: float = 0.0
    incidents: str | list = "default"  # none, default, random, or a plan's entries


@dataclass(frozen=True)
class Incident:
    """Something that happened to the platform, in the window [starts_at, ends_at) (epoch s)."""

    kind: str
    starts_at: int
    ends_at: int
    place: tuple[tuple[str, int], ...]  # names and codes, none where it is everywhere
    size: float
    ramp: bool = False

    @property
    def code(self) -> int:
        """The code of the only place."""
        ((_, code),) = self.place
        return code

    def during(self, times: np.ndarray) -> np.ndarray:
        """Which of these times are in its window."""
        return (times >= self.starts_at) & (times < self.ends_at)


@dataclass
class People:
    """Arrays with one entry per person of one role."""

    ids: list[str]
    hired: np.ndarray  # epoch seconds, midnight
    site: np.ndarray
    vendor: np.ndarray
    team: np.ndarray
    language: np.ndarray
    queues: np.ndarray  # (person, 2): main and second queue
    error_factor: np.ndarray  # relative to the average moderator, after learning
    day_off: np.ndarray  # first of two days off, 0 = Monday
    moved: np.ndarray  # when the person changed team, negative = never
    new_team: np.ndarray


@dataclass
class World:
    """Everything that the weeks share. All times are epoch seconds."""

    settings: Settings
    start: int
    horizon: int
    first_monday: int
    weeks: int
    queue_ids: list[str]
    queue_tier: np.ndarray
    queue_mix: np.ndarray
    queue_difficulty: np.ndarray
    prevalence: np.ndarray
    leaf_mix: np.ndarray  # (queue, leaf)
    leaf_slots: np.ndarray  # (queue, slot)
    leaf_difficulty: np.ndarray  # (leaf or none), 1 on average over this world
    automation_share: np.ndarray
    retargeted: tuple[int, int]  # queue, when
    moderators: People
    auditors: People
    auditor_tier: np.ndarray
    revised_policies: list[tuple[int, int]]  # leaf, when its next version came into force
    golden_policy: np.ndarray
    incidents: list[Incident] = field(default_factory=list)
    peak: float = 1.0  # the largest volume to be expected, relative to decisions_per_day

    @property
    def all_queues(self) -> list[str]:
        """The queues of cases, and that of appeals."""
        return [*self.queue_ids, APPEALS_QUEUE]

    def random(self, week: int, part: int) -> np.random.Generator:
        """The random numbers of one part of one week, whoever draws them and when."""
        child = np.random.SeedSequence(self.settings.seed, spawn_key=(week + 1, part))
        return np.random.Generator(np.random.SFC64(child))

    def monday(self, week: int) -> int:
        """The first instant of a week."""
        return self.first_monday + week * 7 * DAY

    def model(self, week: int) -> int:
        """The model version that decides in a week."""
        return week // MODEL_WEEKS

    def of_kind(self, kind: str) -> list[Incident]:
        """The incidents of a kind."""
        return [incident for incident in self.incidents if incident.kind == kind]

    def during(self, kind: str, week: int) -> list[tuple[Incident, np.ndarray]]:
        """Incidents of a kind that touch a week, each with its days (7 booleans)."""
        days = self.monday(week) + np.arange(7) * DAY
        found = [(incident, incident.during(days)) for incident in self.of_kind(kind)]
        return [(incident, touched) for incident, touched in found if touched.any()]


def chance(world_seed: int, number: np.ndarray, salt: int) -> np.ndarray:
    """A number in [0, 1) for each id and purpose, as even as drawn (SplitMix64 of the three)."""
    with np.errstate(over="ignore"):
        x = number.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(
            1 + salt + 16 * world_seed
        )
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)) / float(1 << 53)


def slots(weights: np.ndarray) -> np.ndarray:
    """Lookup table of codes, (…, SLOTS), in which each code has slots by its weight."""
    weights = np.atleast_2d(np.asarray(weights, float))
    edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    middles = (np.arange(SLOTS) + 0.5) / SLOTS
    table = np.stack([np.searchsorted(row[:-1], middles, side="right") for row in edges])
    return table.astype(np.int16)


def epoch(day: date) -> int:
    """The UTC midnight of a date, in epoch seconds."""
    return (day - date(1970, 1, 1)).days * DAY


def _people(
    rng: np.random.Generator,
    settings: Settings,
    names: list[str],
    queue_mix: np.ndarray,
    new_share: float,
) -> People:
    n, start = len(names), epoch(settings.start)
    hired = start - rng.integers(40, 1200, n) * DAY
    new = rng.random(n) < new_share
    new[: len(queue_mix)] = False
    hired[new] = start + rng.integers(1, max(2, settings.days), int(new.sum())) * DAY
    vendor = rng.integers(0, len(VENDORS), n)
    teams = max(3, n // 12)
    team = rng.integers(0, teams, n)
    moved = np.full(n, -1)
    movers = np.flatnonzero((rng.random(n) < 0.05) & ~new)
    moved[movers] = start + rng.integers(1, max(2, settings.days), len(movers)) * DAY
    main = rng.choice(len(queue_mix), n, p=queue_mix)
    main[: len(queue_mix)] = np.arange(len(queue_mix))[:n]  # no queue without anybody
    return People(
        ids=names,
        hired=hired,
        site=(vendor + (rng.random(n) < 0.2)) % len(SITES),
        vendor=vendor,
        team=team,
        language=rng.choice(len(LANGUAGES), n, p=LANGUAGE_MIX),
        queues=np.stack([main, rng.integers(0, len(queue_mix), n)], axis=1),
        error_factor=np.exp(rng.normal(-0.08, 0.4, n)),
        day_off=rng.integers(0, 7, n),
        moved=moved,
        new_team=(team + 1) % teams,
    )


def build_world(settings: Settings) -> World:
    """The world of these settings: the same settings give the same world."""
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(settings.seed)))
    start = epoch(settings.start)
    horizon = start + settings.days * DAY
    first_monday = start - settings.start.weekday() * DAY
    n_queues = settings.queues
    tier = np.arange(n_queues) % 3
    mix = rng.dirichlet(np.full(n_queues, 6.0))
    difficulty = np.array([1.5, 1.0, 0.75])[tier] * np.exp(rng.normal(0, 0.15, n_queues))
    leaf_mix = rng.dirichlet(np.full(len(LEAVES), 0.8), n_queues) + 0.005
    prevalence = rng.uniform(0.25, 0.45, n_queues)
    automation = settings.automation_share * np.array([0.7, 1.0, 1.3])[tier]
    # The last entry is for items that violate nothing.
    hard = np.append(LEAF_DIFFICULTY, 0.75)
    violating = (leaf_mix / leaf_mix.sum(axis=1, keepdims=True)) @ LEAF_DIFFICULTY
    by_queue = prevalence * violating + (1 - prevalence) * hard[-1]
    difficulty /= mix @ difficulty
    world = World(
        settings=settings,
        start=start,
        horizon=horizon,
        first_monday=first_monday,
        weeks=-(-(horizon - first_monday) // (7 * DAY)),
        queue_ids=[f"q{i + 1:02d}" for i in range(n_queues)],
        queue_tier=tier,
        queue_mix=mix,
        queue_difficulty=difficulty,
        prevalence=prevalence,
        leaf_mix=leaf_mix,
        leaf_slots=slots(leaf_mix),
        leaf_difficulty=hard / ((mix * difficulty) @ by_queue),
        automation_share=np.clip(
            automation * settings.automation_share / max(mix @ automation, 1e-9), 0, 0.95
        ),
        retargeted=(n_queues // 2, start + (settings.days // 2) * DAY),
        moderators=_people(
            rng, settings, [f"mod-{i + 1:04d}" for i in range(settings.moderators)], mix, 0.15
        ),
        auditors=_people(
            rng,
            settings,
            [f"aud-{i + 1:03d}" for i in range(6 + settings.moderators // 12)],
            mix,
            0,
        ),
        auditor_tier=np.array([0]),
        revised_policies=[(4, start + settings.days // 4 * DAY)] if settings.days >= 8 else [],
        golden_policy=rng.integers(-12, len(LEAVES), 40).clip(-1),
        peak=(1 + max(settings.growth, 0)) ** (settings.days / 365) * (1 + settings.season),
    )
    # Two experts, a quarter seniors, the others auditors.
    n = len(world.auditors.ids)
    world.auditor_tier = np.where(np.arange(n) < 2, 3, np.where(np.arange(n) < 2 + n // 4, 2, 1))
    return world


def reference_tables(world: World) -> dict[str, pa.Table]:
    """The raw tables `policies`, `queues` and `roster`: one row per thing and validity period.

    A period that ends is delivered twice, as a bitemporal source does: open, and later closed.
    """
    long_ago, known = world.start - 425 * DAY, world.start - 30 * DAY
    return {
        name: _rows(name, [row for row in rows if row["recorded_at"] < world.horizon])
        for name, rows in (
            ("policies", _policies(world, long_ago, known)),
            ("queues", _queues(world, long_ago, known)),
            ("roster", _roster(world, known)),
        )
    }


def _rows(name: str, rows: list[dict]) -> pa.Table:
    def column(key: str, kind: pa.DataType) -> pa.Array:
        values = [row[key] for row in rows]
        if kind == T:
            return times(np.array(values))
        if kind == D:
            return dates(np.array(values))
        return pa.array(values, kind)

    recorded = np.array([row["recorded_at"] for row in rows])
    kept = {
        key: column(key, kind)
        for key, kind in RAW_TABLES[name].items()
        if key not in ("source_system", "recorded_at")
    }
    return raw_table(name, recorded, **kept)


def _periods(row: dict, known: int, changes: list[tuple[int, dict]]) -> list[dict]:
    """One thing's rows: each change closes the period in force and opens the next."""
    rows, recorded = [], known
    for at, new in changes:
        rows.append(row | {"valid_to": -1, "recorded_at": recorded})
        rows.append(row | {"valid_to": at, "recorded_at": at})
        row, recorded = row | new | {"valid_from": at}, at
    return [*rows, row | {"valid_to": -1, "recorded_at": recorded}]


def _policies(world: World, long_ago: int, known: int) -> list[dict]:
    rows = []
    for parent, (name, _, leaves) in POLICY_TREE.items():
        worst = max(SEVERITIES.index(leaf[1]) for leaf in leaves)
        common = {"policy_version": "1", "valid_from": long_ago}
        rows += _periods(
            {
                "policy_id": parent,
                "parent_policy_id": None,
                "policy_name": name,
                "severity": SEVERITIES[worst],
                **common,
            },
            known,
            [],
        )
        for leaf, severity, _, _ in leaves:
            policy_id = f"{parent}.{leaf}"
            revised = sorted(at for of, at in world.revised_policies if POLICY_IDS[of] == policy_id)
            changes = [
                (at, {"policy_version": f"{n}", "policy_name": f"{name}: {leaf}, revised"})
                for n, at in enumerate(revised, 2)
            ]
            rows += _periods(
                {
                    "policy_id": policy_id,
                    "parent_policy_id": parent,
                    "policy_name": f"{name}: {leaf}",
                    "severity": severity,
                    **common,
                },
                known,
                changes,
            )
    return rows


def _queues(world: World, long_ago: int, known: int) -> list[dict]:
    rows = []
    for i, queue_id in enumerate(world.queue_ids):
        minutes, accuracy = TIER_TARGETS[world.queue_tier[i]]
        queue, at = world.retargeted
        change = [(at, {"target_turnaround_minutes": minutes / 2, "target_accuracy": 0.96})]
        rows += _periods(
            {
                "queue_id": queue_id,
                "queue_name": QUEUE_NAMES[i] if i < len(QUEUE_NAMES) else f"General {i + 1}",
                "risk_tier": TIERS[world.queue_tier[i]],
                "target_turnaround_minutes": minutes,
                "target_accuracy": accuracy,
                "valid_from": long_ago,
            },
            known,
            change if i == queue else [],
        )
    appeals = {
        "queue_id": APPEALS_QUEUE,
        "queue_name": "Appeals",
        "risk_tier": None,
        "target_turnaround_minutes": APPEALS_TARGET,
        "target_accuracy": None,
        "valid_from": long_ago,
    }
    return [*rows, *_periods(appeals, known, [])]


def _roster(world: World, known: int) -> list[dict]:
    rows = []
    for people, role in (
        (world.moderators, np.zeros(len(world.moderators.ids), int)),
        (world.auditors, world.auditor_tier),
    ):
        for i, person in enumerate(people.ids):
            hired = int(people.hired[i])
            if hired >= world.horizon:
                continue
            changes = []
            if people.moved[i] >= 0:
                changes = [
                    (int(people.moved[i]), {"team_id": f"team-{people.new_team[i] + 1:02d}"})
                ]
            rows += _periods(
                {
                    "person_id": person,
                    "role": ROLES[role[i]],
                    "site": SITES[people.site[i]],
                    "vendor": VENDORS[people.vendor[i]],
                    "team_id": f"team-{people.team[i] + 1:02d}",
                    "language": LANGUAGES[people.language[i]],
                    "hired_on": hired,
                    "valid_from": hired,
                },
                max(known, hired),
                changes,
            )
    return rows


def people_table(world: World) -> pa.Table:
    """Truth: one row per moderator, with the error rate relative to the average one."""
    people = world.moderators
    return pa.table(
        {
            "person_id": pa.array(people.ids, S),
            "error_factor": real(people.error_factor),
            "vendor": coded(people.vendor.astype(np.int8), VENDORS),
        }
    )
