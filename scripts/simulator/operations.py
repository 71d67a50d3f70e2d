"""What surrounds a decision: reports, escalations, further restrictions, the jobs of appeals.

Nothing here draws from a stream: each row's chance follows from its own number, so that the week
that enqueues a job and the week that decides it agree, and nothing else of a world moves.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .cases import CORRECT, Batch, Week, first_id, same_day
from .columns import DAY, Delivery, coded, ids, raw_table, times
from .world import (
    ACTIONS,
    APPEAL_REASON,
    AUTO_CLOSE,
    AUTOMATION,
    BAN,
    DEMONETISE,
    ENQUEUE_REASONS,
    ESCALATE,
    ESCALATION_REASON,
    LEAF_SEVERITY,
    NO_ACTION,
    POLICY_IDS,
    REMOVE,
    REVERSE,
    SUSPEND,
    SYSTEM,
    UPHOLD,
    WARN,
    chance,
)

REPORTERS = ["user", "trusted_flagger", "authority", "automation"]
REPORTED = [ENQUEUE_REASONS.index(f) for f in ("user_report", "trusted_flagger", "authority_order")]
PROACTIVE = ENQUEUE_REASONS.index("proactive_model")
GROUNDS = ["illegal", "terms"]
LEVELS = ["none", "partial", "full"]
CHANNELS = ["internal", "out_of_court"]
PENDING, GRANTED, DENIED, PARTIAL, APPEAL_WITHDRAWN = range(5)
SEVERE = 4
MOST_REPORTS = 6

# What a chance is for: the same number draws another one for each.
(_POLICY, _WRONG_POLICY, _MADE, _COUNT, _WHEN, _LEGAL, _GROUND, _LEVEL, _SECOND) = range(9)
_COMPLAINS, _OUTCOME, _WAIT, NOTIFIED, CHANNEL, LATE = range(9, 15)


def reported_policy(seed: int, cases: Batch) -> np.ndarray:
    """What each item was reported or flagged for, negative where nobody said.

    Mostly what it violates; what violates nothing was reported for something too.
    """
    some = (chance(seed, cases["number"], _WRONG_POLICY) * len(POLICY_IDS)).astype(np.int8)
    u = chance(seed, cases["number"], _POLICY)
    right = (cases["true_policy"] >= 0) & (u < 0.8)
    policy = np.where(right, cases["true_policy"], some)
    silent = (u > 0.95) | (cases["reason"] == ENQUEUE_REASONS.index("sample"))
    return np.where(silent, -1, policy).astype(np.int8)


def is_made(seed: int, cases: Batch) -> np.ndarray:
    """Decisions by models that came without a job: a connector made one, without a wait."""
    return (cases["by_type"] == AUTOMATION) & (chance(seed, cases["number"], _MADE) < 0.004)


def write_reports(week: Week, cases: Batch, delivery: Delivery) -> None:
    """The reports of the jobs enqueued this week; several may have joined one job."""
    seed = week.world.settings.seed
    reason, number = cases["reason"], cases["number"]
    policy = reported_policy(seed, cases)
    u = chance(seed, number, _COUNT)
    # One report makes the job. Of ten jobs six have no other, a few have many, and of what a model
    # found somebody reports some too, while it waits.
    further = np.minimum((-np.log1p(-u) * 0.9).astype(np.int64), MOST_REPORTS - 1)
    first = np.isin(reason, REPORTED)
    count = np.where(first, 1 + further, np.where(u > 0.93, 1, 0))
    count = np.where(cases["by_type"] == AUTOMATION, np.minimum(count, 1), count)
    count[is_made(seed, cases)] = 0
    which = np.repeat(np.arange(len(number)), count)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    report = number[which] * (MOST_REPORTS + 1) + nth
    makes = (nth == 0) & first[which]
    enqueued, ends = cases["enqueued"][which], cases["decided"][which]
    later = chance(seed, report, _WHEN) * np.maximum(ends - enqueued, 0) * 0.9
    at = np.where(makes, enqueued, same_day(enqueued, later.astype(np.int64)))
    kind = np.where(makes, np.minimum(reason[which], 2), 0)
    legal = chance(seed, report, _LEGAL) < np.array([0.08, 0.7, 1.0])[kind]
    recorded = same_day(at, 1 + report % 20)
    order = np.argsort(recorded, kind="stable")
    table = raw_table(
        "reports",
        recorded[order],
        report_id=ids("r-", report[order]),
        item_id=ids("i-", cases["item"][which[order]]),
        job_id=ids("j-", number[which[order]]),
        reported_at=times(at[order]),
        reporter_kind=coded(kind[order], REPORTERS),
        policy_id=coded(policy[which[order]], POLICY_IDS),
        is_legal_notice=pa.array(legal[order]),
    )
    delivery.daily("raw/reports", table, recorded[order])


def grounds(seed: int, decisions: Batch) -> np.ndarray:
    """On what each restriction rests: the law where a severe policy is broken, else the terms."""
    enforced = is_restriction(decisions["action"])
    severe = LEAF_SEVERITY[decisions["policy"]] == SEVERE
    by_law = severe & (chance(seed, decisions["decision"], _GROUND) < 0.6)
    return np.where(enforced, np.where(by_law, 0, 1), -1).astype(np.int8)


def automation_levels(seed: int, decisions: Batch) -> np.ndarray:
    """none, partial (a person confirmed a model's finding) or full; nothing of housekeeping."""
    helped = (decisions["reason"] == PROACTIVE) & (
        chance(seed, decisions["decision"], _LEVEL) < 0.3
    )
    level = np.where(decisions["by_type"] == AUTOMATION, 2, helped.astype(np.int8))
    return np.where(decisions["by_type"] == SYSTEM, -1, level).astype(np.int8)


def is_restriction(action: np.ndarray) -> np.ndarray:
    """Whether an action does something to the item or account."""
    return (action > NO_ACTION) & (action <= BAN)


def write_actions(week: Week, decisions: Batch, delivery: Delivery) -> None:
    """Every restriction of each enforcing decision, its own action first; one in eight has two."""
    rows = np.flatnonzero(is_restriction(decisions["action"]))
    action = decisions["action"][rows]
    u = chance(week.world.settings.seed, decisions["decision"][rows], _SECOND)
    second = np.full(len(rows), -1, np.int8)
    account = action >= SUSPEND
    second[account & (u < 0.3)] = REMOVE
    second[(action == REMOVE) & (u < 0.1)] = WARN
    second[(action == REMOVE) & (u >= 0.1) & (u < 0.16)] = DEMONETISE
    both = np.flatnonzero(second >= 0)
    which = np.concatenate([np.arange(len(rows)), both])
    actions = np.concatenate([action, second[both]])
    is_primary = np.arange(len(which)) < len(rows)
    recorded = decisions["recorded"][rows[which]]
    order = np.argsort(recorded, kind="stable")
    table = raw_table(
        "decision_actions",
        recorded[order],
        decision_id=ids("d-", decisions["decision"][rows[which[order]]]),
        action_code=coded(actions[order], ACTIONS),
        is_primary=pa.array(is_primary[order]),
    )
    delivery.daily("raw/decision_actions", table, recorded[order])


def escalated_jobs(week: Week, cases: Batch, looks: Batch) -> Batch:
    """The next visit of what was escalated: a job of its own, which the later decision closes.

    Changes the `number` (of the job) of those cases; their first look keeps the old one.
    """
    seen = np.flatnonzero(cases["escalated"])
    first = np.flatnonzero(looks["action"] == ESCALATE)
    # Looks are in the order of their cases.
    new = first_id(week, 6) + np.arange(len(seen))
    jobs = {name: values[seen] for name, values in cases.items()}
    passed_on = looks["decided"][first]
    jobs["number"] = new
    jobs["enqueued"] = np.minimum(passed_on + 1 + new % 30, jobs["started"])
    jobs["reason"] = np.full(len(seen), ESCALATION_REASON, np.int8)
    cases["number"][seen] = new
    return jobs


def complaints(week: Week, decisions: Batch) -> Batch:
    """Those whose report led to nothing complain now and then, more often where they are right."""
    seed, number = week.world.settings.seed, decisions["decision"]
    missed = decisions["error"] != CORRECT
    reported = np.isin(decisions["reason"], REPORTED) & (decisions["action"] == NO_ACTION)
    u = chance(seed, number, _COMPLAINS)
    row = np.flatnonzero(reported & (u < np.where(missed, 0.04, 0.008)))
    number, taken = number[row], decisions["decided"][row]
    u, wait = chance(seed, number, _OUTCOME), chance(seed, number, _WAIT)
    filed = taken + 600 + (wait * 14 * DAY).astype(np.int64)
    granted = u < np.where(missed[row], 0.5, 0.04)
    return {
        "row": row,
        "filed": filed,
        # As of all appeals, none ends within a week of the decision.
        "decided": np.maximum(filed + DAY + (u * 9 * DAY).astype(np.int64), taken + 8 * DAY),
        "outcome": np.where(granted, GRANTED, DENIED),
    }


def appeal_jobs(week: Week, decisions: Batch, appeals: Batch) -> Batch:
    """A job for each appeal, in the queue of appeals, enqueued when it was filed."""
    row, n = appeals["row"], len(appeals["row"])
    jobs = {name: decisions[name][row] for name in ("item", "item_type", "created", "language")}
    jobs |= {name: decisions[name][row] for name in ("region", "true_policy")}
    return jobs | {
        "number": first_id(week, 7) + np.arange(n),
        "queue": np.full(n, len(week.world.queue_ids), np.int8),
        "reason": np.full(n, APPEAL_REASON, np.int8),
        "by_type": np.full(n, -1, np.int8),
        "enqueued": appeals["filed"],
        "decided": appeals["decided"],
        "views": np.full(n, -1),
    }


def answer(granted: np.ndarray, withdrawn: np.ndarray) -> np.ndarray:
    """The action that closes an appeal's job: reverse, uphold, or nobody had to decide."""
    return np.where(granted, REVERSE, np.where(withdrawn, AUTO_CLOSE, UPHOLD)).astype(np.int8)
