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
    period closed, and one mistake put right for all time), a policy gets a new version, a stratum
    another end, audits another revision or decision, disputes another outcome. A tenth of all
    rows comes twice.
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
    disputes = world["disputes"]
    add(
        "disputes",
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


def _other_queue(queue: str) -> str:
    return "spam" if queue == "hate" else "hate"


class Deliveries:
    """Parts of a history, any row in any of them, written into a raw folder one after another."""

    def __init__(self, world: World, n: int, rng: np.random.Generator) -> None:
        """Split a world into n deliveries at random."""
        self._schemas = {
            name: pa.Schema.from_pandas(rows, preserve_index=False) for name, rows in world.items()
        }
        places = {name: rng.integers(0, n, len(rows)) for name, rows in world.items()}
        self._parts = [
            {name: rows[places[name] == i] for name, rows in world.items()} for i in range(n)
        ]

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
