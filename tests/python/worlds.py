"""Raw worlds that tests build: a week by hand, and what the simulator makes of a platform."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import simulate as simulator
from oracles.raw_tables import RawTables
from projects import Project, World
from simulator.world import Settings

# What a user runs after the other, with no flags.
COMMANDS = {"build": ("build",), "docs": ("docs", "generate", "--static"), "test": ("test",)}


def build_week(project: Project) -> None:
    """The small world with its data tests, built in this process."""
    project.deliver(small_world())
    run = project.build()
    assert run.returncode == 0, run.stdout


def build_platform(project: Project) -> None:
    """Six weeks of one quarter, with late and revised audits, corrections and duplicates.

    Built, tested and documented by a user's commands; what each said is in said/.
    """
    simulator.simulate(
        Settings(start=date(2026, 8, 3), days=42, decisions_per_day=300, moderators=40, queues=4),
        project.folder / "data",
        workers=1,
    )
    rate_again(project.raw)
    (project.folder / "said").mkdir()
    for name, command in COMMANDS.items():
        run = project.dbt_as_a_user(*command)
        assert run.returncode == 0, run.stdout
        (project.folder / "said" / name).write_text(run.stdout)


def rate_again(raw: Path) -> None:
    """Add what the simulator has not: blanks, grades, corrections, and sessions held again."""
    ratings = RawTables(raw).rows(
        "calibration_ratings",
        [
            *("session_id", "item_id", "rater_id", "rater_role", "action_code", "policy_id"),
            *("rated_at", "source_system", "recorded_at"),
        ],
    )
    rng = np.random.default_rng(2)
    kinds = ["none", "low", "medium", "high", "severe", None]
    ratings["severity"] = rng.choice(np.array(kinds, object), len(ratings))
    ratings.loc[rng.random(len(ratings)) < 0.05, ["action_code", "policy_id"]] = None
    ratings.loc[rng.random(len(ratings)) < 0.02, "action_code"] = "skip"
    later = pd.Timedelta(days=9)
    again = ratings.sample(frac=0.4, random_state=3).assign(
        session_id=lambda rows: rows["session_id"] + " again",
        rated_at=lambda rows: rows["rated_at"] + later,
        recorded_at=lambda rows: rows["recorded_at"] + later,
    )
    changed = rng.random(len(again)) < 0.3
    again.loc[changed, ["action_code", "policy_id"]] = ["no_action", None]
    corrected = ratings.sample(40, random_state=4).assign(
        action_code="warn", recorded_at=lambda rows: rows["recorded_at"] + later
    )
    folder = raw / "calibration_ratings" / "again"
    folder.mkdir()
    for file in (raw / "calibration_ratings").rglob("*.parquet"):
        file.unlink()
    pd.concat([ratings, again, corrected]).to_parquet(folder / "ratings.parquet", index=False)


def small_world() -> World:
    """One week of 160 decisions in 2 queues, framed in 2 strata, with 54 audits and 2 disputes.

    Every third decision is audited. Of these every ninth is wrong; one error is overturned by a
    dispute, and one audit has a second revision.
    """
    monday = pd.Timestamp("2026-03-02")
    number = pd.Series(range(160))
    decided_at = monday + pd.to_timedelta(number, unit="h")
    enforced = number % 4 == 0
    queue = number.map(lambda n: "hate" if n % 2 else "spam")
    action = enforced.map({True: "remove", False: "no_action"})
    policy = queue.where(enforced)
    decision_id = number.map("d{:03}".format)
    job_id = number.map("j{:03}".format)
    minute = pd.Timedelta(minutes=1)

    audited = number[number % 3 == 0]
    wrong = audited % 27 == 0
    right_action = action[audited].mask(wrong, action[audited].map(_other))
    audits = pd.DataFrame(
        {
            "audit_id": audited.map("a{:03}".format),
            "revision_no": 1,
            "decision_id": decision_id[audited],
            "auditor_id": "expert-1",
            "auditor_tier": "expert",
            "sampling_method": "stratified_random",
            "plan_id": "weekly",
            "stratum_id": enforced[audited].map({True: "enforced", False: "not_enforced"}),
            "is_blind": True,
            "decided_action_code": action[audited],
            "decided_policy_id": policy[audited],
            "truth_action_code": right_action,
            "truth_policy_id": queue[audited].where(right_action == "remove"),
            "is_technical_error": False,
            "audit_status": "final",
            "audited_at": monday + pd.Timedelta(days=10),
        }
    )
    second_look = audits.iloc[[1]].assign(
        revision_no=2, truth_action_code="remove", truth_policy_id="hate"
    )
    filed_at = monday + pd.Timedelta(days=11)
    return _recorded(
        {
            "queues": pd.DataFrame(
                {
                    "queue_id": ["hate", "spam"],
                    "queue_name": ["Hate", "Spam"],
                    "valid_from": pd.Timestamp("2026-01-01"),
                    "valid_to": pd.NaT,
                }
            ).astype({"valid_to": "datetime64[us]"}),
            "policies": pd.DataFrame(
                {
                    "policy_id": ["abuse", "hate", "spam"],
                    "policy_version": "1",
                    "parent_policy_id": [None, "abuse", None],
                    "valid_from": pd.Timestamp("2026-01-01"),
                    "valid_to": pd.NaT,
                }
            ).astype({"valid_to": "datetime64[us]"}),
            "roster": pd.DataFrame(
                {
                    "person_id": ["mod-0", "mod-1", "mod-2", "expert-1"],
                    "role": ["moderator"] * 3 + ["expert"],
                    "site": ["dublin", "dublin", "manila", "dublin"],
                    "valid_from": pd.Timestamp("2026-01-01"),
                    "valid_to": pd.NaT,
                }
            ).astype({"valid_to": "datetime64[us]"}),
            "review_jobs": pd.DataFrame(
                {
                    "job_id": job_id,
                    "item_id": number.map("i{:03}".format),
                    "item_type": "post",
                    "queue_id": queue,
                    "enqueue_reason": "user_report",
                    "enqueued_at": decided_at - 30 * minute,
                    "priority": 1,
                }
            ),
            "decisions": pd.DataFrame(
                {
                    "decision_id": decision_id,
                    "job_id": job_id,
                    "decided_by_type": "human",
                    "moderator_id": number.map(lambda n: f"mod-{n % 3}"),
                    "decided_at": decided_at,
                    "handling_seconds": 30.5,
                    "action_code": action,
                    "primary_policy_id": policy,
                }
            ),
            "sampling_frame": pd.DataFrame(
                {
                    "plan_id": "weekly",
                    "stratum_id": ["enforced", "not_enforced"],
                    "period_start": monday,
                    "period_end": monday + pd.Timedelta(days=7),
                    "sampling_method": "stratified_random",
                    "queue_id": pd.Series([None, None], dtype="object"),
                    "decided_by_type": pd.Series([None, None], dtype="object"),
                    "action_group": ["enforced", "not_enforced"],
                    "population_size": [int(enforced.sum()), int((~enforced).sum())],
                    "framed_at": monday + pd.Timedelta(days=8),
                }
            ),
            "audits": pd.concat([audits, second_look], ignore_index=True),
            "disputes": pd.DataFrame(
                {
                    "dispute_id": ["x1", "x2"],
                    "audit_id": ["a000", "a027"],
                    "filed_at": filed_at,
                    "resolved_at": filed_at + 60 * minute,
                    "outcome": ["overturned", "upheld"],
                    "final_action_code": ["remove", None],
                    "final_policy_id": ["spam", None],
                }
            ),
        }
    )


def _other(action: str) -> str:
    return "no_action" if action == "remove" else "remove"


def _recorded(world: World) -> World:
    """Each table with its source, known a minute after the last event of a row."""
    events = {
        "queues": "valid_from",
        "policies": "valid_from",
        "roster": "valid_from",
        "review_jobs": "enqueued_at",
        "decisions": "decided_at",
        "sampling_frame": "framed_at",
        "audits": "audited_at",
        "disputes": "resolved_at",
    }
    return {
        name: table.assign(
            source_system="test", recorded_at=table[events[name]] + pd.Timedelta(minutes=1)
        )
        for name, table in world.items()
    }
