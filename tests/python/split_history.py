"""A raw history with all that can happen to one, split into deliveries at random."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

World = dict[str, pd.DataFrame]
DAY = pd.Timedelta(days=1)
MONDAY = pd.Timestamp("2026-03-02")


def eventful(world: World, rng: np.random.Generator) -> World:
    """The small world with corrections of every table that a decision or an audit depends on.

    Decisions move to another day, jobs to another queue, a person to another site (with the old
    period closed, and one mistake put right for all time), a policy gets a new version, a queue
    a target, a stratum another end, audits another revision, decision or day, disputes another
    outcome or audit. Decisions are replaced by others; audits have scorecards, benchmarks and
    second opinions; items are rated in calibration sessions, some twice; the auditor moves. A
    tenth of all rows comes twice.
    """
    world = {name: table.copy() for name, table in world.items()}

    def some(table: str, n: int) -> pd.DataFrame:
        rows = world[table].sample(n, random_state=int(rng.integers(2**31)))
        late = pd.to_timedelta(rng.integers(1, 72, n), unit="h")
        return rows.assign(recorded_at=rows["recorded_at"] + late)

    def add(table: str, *parts: pd.DataFrame) -> None:
        world[table] = pd.concat([world[table], *parts], ignore_index=True)

    moved, changed = some("decisions", 15), some("decisions", 15)
    shift = pd.to_timedelta(rng.integers(-40, 40, 15), unit="h")
    add(
        "decisions",
        moved.assign(decided_at=moved["decided_at"] + shift),
        changed.assign(action_code="remove", primary_policy_id="hate"),
        some("decisions", 5).assign(job_id="j-nobody-knows"),
    )
    requeued = some("review_jobs", 15)
    add("review_jobs", requeued.assign(queue_id=requeued["queue_id"].map(_other_queue)))

    thursday, wednesday = MONDAY + 3 * DAY, MONDAY + 2 * DAY
    roster = world["roster"].set_index("person_id", drop=False)
    leaves, mistaken = roster.loc[["mod-1"]], roster.loc[["mod-2"]]
    add(
        "roster",
        leaves.assign(valid_to=thursday, recorded_at=thursday),
        leaves.assign(valid_from=thursday, site="manila", recorded_at=thursday),
        mistaken.assign(site="cairo", recorded_at=thursday + DAY),
    )
    spam = world["policies"].query("policy_id == 'spam'")
    add(
        "policies",
        spam.assign(valid_to=wednesday, recorded_at=wednesday),
        spam.assign(
            policy_version="2",
            parent_policy_id="abuse",
            valid_from=wednesday,
            recorded_at=wednesday,
        ),
    )
    hate = world["queues"].query("queue_id == 'hate'")
    add(
        "queues",
        hate.assign(valid_to=wednesday, recorded_at=thursday),
        hate.assign(target_accuracy=0.97, valid_from=wednesday, recorded_at=thursday),
    )
    frame = world["sampling_frame"]
    add(
        "sampling_frame",
        frame.iloc[[0]].assign(
            period_end=MONDAY + 5 * DAY, recorded_at=frame["recorded_at"].iloc[0] + DAY
        ),
        frame.iloc[[1]].assign(
            population_size=100, recorded_at=frame["recorded_at"].iloc[1] + 2 * DAY
        ),
    )
    revised, elsewhere = some("audits", 8), some("audits", 3)
    add(
        "audits",
        revised.assign(revision_no=revised["revision_no"] + 5, truth_action_code="remove"),
        elsewhere.assign(decision_id=some("decisions", 3)["decision_id"].to_numpy()),
        some("audits", 2).assign(audit_id=["a-lost-1", "a-lost-2"], decision_id="d-never-came"),
    )
    far = some("audits", 6)
    add(
        "audits",
        # Into another month, and into another quarter.
        far.assign(
            revision_no=far["revision_no"] + 7,
            audited_at=far["audited_at"] + pd.to_timedelta(rng.integers(-15, 40, 6), unit="D"),
        ),
        *(
            some("audits", n).assign(
                audit_id=[f"a-{kind}-{i}" for i in range(n)],
                auditor_id="expert-2",
                sampling_method=kind,
                audited_at=MONDAY + pd.to_timedelta(rng.integers(8, 45, n), unit="D"),
            )
            for kind, n in (("benchmark", 12), ("targeted", 12))
        ),
    )
    auditor = roster.loc[["expert-1"]]
    add(
        "roster",
        auditor.assign(valid_to=MONDAY + 10 * DAY, recorded_at=MONDAY + 12 * DAY),
        auditor.assign(valid_from=MONDAY + 10 * DAY, site="manila", recorded_at=MONDAY + 12 * DAY),
    )
    second_thoughts = some("decisions", 12)
    add(
        "decisions",
        second_thoughts.assign(
            decision_id=[f"d-again-{i}" for i in range(12)],
            supersedes_decision_id=second_thoughts["decision_id"],
            action_code="remove",
            primary_policy_id="hate",
            decided_at=second_thoughts["decided_at"] + 9 * DAY,
            recorded_at=second_thoughts["recorded_at"] + 9 * DAY,
        ),
    )
    world["audit_scores"] = _scorecards(world["audits"], rng)
    again = some("audit_scores", 10)
    add("audit_scores", again.assign(score=6 - again["score"]))
    world["calibration_ratings"] = _calibration(rng)
    again = some("calibration_ratings", 10)
    add("calibration_ratings", again.assign(action_code="no_action"))
    disputes = world["disputes"]
    add(
        "disputes",
        disputes.iloc[[0]].assign(
            audit_id="a003", recorded_at=disputes["recorded_at"].iloc[0] + 2 * DAY
        ),
        disputes.iloc[[1]].assign(
            outcome="overturned",
            final_action_code="no_action",
            recorded_at=disputes["recorded_at"].iloc[1] + DAY,
        ),
    )
    for table, rows in world.items():
        again = rows.sample(frac=0.1, random_state=int(rng.integers(2**31)))
        world[table] = pd.concat([rows, again], ignore_index=True)
    return world


def _scorecards(audits: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Two categories of every revision of an audit, rated from 1 to 5."""
    cards = audits.merge(
        pd.DataFrame({"category_id": ["notes", "tone"], "weight": [1.0, 3.0]}), "cross"
    )
    key = ["audit_id", "revision_no", "category_id"]
    cards = cards[[*key, "weight", "source_system", "recorded_at"]].drop_duplicates(key)
    return cards.reset_index(drop=True).assign(
        score=rng.integers(1, 6, len(cards)).astype(float),
        scale_min=1.0,
        scale_max=5.0,
        is_critical=rng.random(len(cards)) < 0.1,
        is_not_applicable=False,
    )


def _calibration(rng: np.random.Generator) -> pd.DataFrame:
    """Four people rate eight items in three sessions, two weeks apart; some items come again."""
    rows = pd.MultiIndex.from_product(
        [range(3), range(8), ["mod-0", "mod-1", "mod-2", "expert-1"]],
        names=["session", "item", "rater_id"],
    ).to_frame(index=False)
    rated_at = MONDAY + rows["session"] * 14 * DAY
    rated_at += pd.to_timedelta(rng.integers(0, 60, len(rows)), unit="h")
    return pd.DataFrame(
        {
            "session_id": rows["session"].map("session-{}".format),
            "item_id": (rows["item"] + 5 * rows["session"]).map("item-{}".format),
            "rater_id": rows["rater_id"],
            "rater_role": rows["rater_id"]
            .str.replace(r"-\d", "", regex=True)
            .replace("mod", "moderator"),
            "action_code": rng.choice(["remove", "no_action"], len(rows)),
            "policy_id": "hate",
            "rated_at": rated_at,
            "source_system": "test",
            "recorded_at": rated_at + pd.Timedelta(minutes=1),
        }
    )


def _other_queue(queue: str) -> str:
    return "spam" if queue == "hate" else "hate"


class Deliveries:
    """Parts of a history, written into a raw folder one after another."""

    def __init__(self, world: World, places: dict[str, np.ndarray]) -> None:
        """Split a world into deliveries, by the number of the delivery of every row."""
        self._schemas = {
            name: pa.Schema.from_pandas(rows, preserve_index=False) for name, rows in world.items()
        }
        self._parts = [
            {name: rows[places[name] == i] for name, rows in world.items()}
            for i in range(1 + max(of_table.max() for of_table in places.values()))
        ]

    @classmethod
    def at_random(cls, world: World, n: int, rng: np.random.Generator) -> "Deliveries":
        """Any row in any of n deliveries."""
        return cls(world, {name: rng.integers(0, n, len(rows)) for name, rows in world.items()})

    @classmethod
    def by_day(
        cls, world: World, ends: list[pd.Timestamp], late: dict[str, np.ndarray]
    ) -> "Deliveries":
        """What was recorded before each of some moments, and the rest; some rows one part late."""
        moments = np.array(ends, "datetime64[us]")
        places = {}
        for name, rows in world.items():
            on_time = np.searchsorted(moments, rows["recorded_at"], "right")
            places[name] = on_time + late.get(name, np.zeros(len(rows), dtype=int))
        return cls(world, places)

    def __len__(self) -> int:
        """How many deliveries there are."""
        return len(self._parts)

    def deliver(self, number: int, raw: Path) -> None:
        """Write a delivery; the first has a file of every table, even without rows."""
        for name, rows in self._parts[number].items():
            if len(rows) or number == 0:
                file = raw / name / f"delivery-{number}.parquet"
                file.parent.mkdir(parents=True, exist_ok=True)
                table = pa.Table.from_pandas(rows, self._schemas[name], preserve_index=False)
                pq.write_table(table, file)

    @staticmethod
    def deliver_again(number: int, raw: Path) -> None:
        """Write a delivery once more, under other names."""
        for file in sorted(raw.glob(f"*/delivery-{number}.parquet")):
            shutil.copy(file, file.with_name(f"delivery-{number}-again.parquet"))
