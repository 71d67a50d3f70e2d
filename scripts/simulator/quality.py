"""What happens to decisions afterwards: audit plan, audits, scores, disputes, appeals, reversals.

Arrays have one row per audit, dispute or appeal; `row` is the position of its decision in the week.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from . import operations
from .cases import CORRECT, INVENTED, TECHNICAL, Batch, Week, first_id, mistake, same_day
from .columns import DAY, Delivery, coded, constant, ids, raw_table, real, times, whole
from .incidents import DELAYED, STRICT
from .operations import APPEAL_WITHDRAWN, DENIED, GRANTED, PARTIAL, PENDING
from .world import (
    ACTIONS,
    AUTO_CLOSE,
    AUTOMATION,
    BAN,
    HUMAN,
    LEAF_ACTION,
    LEAF_SEVERITY,
    NO_ACTION,
    POLICY_IDS,
    REVERSE,
    ROLES,
    SEVERITIES,
    SYSTEM,
    World,
    chance,
)

METHODS = [
    "stratified_random",
    "targeted",
    "escalation",
    "appeal",
    "golden",
    "calibration",
    "benchmark",
]
PLANNED, TARGETED, ESCALATION, APPEAL, GOLDEN, CALIBRATION, BENCHMARK = range(7)
PLAN_ID = "risk_weekly"
DRAFT, FINAL, WITHDRAWN = range(3)
STATUSES = ["draft", "final", "withdrawn"]
# What becomes of an audit: done at once; drafted, then final; left a draft; revised; withdrawn.
PLAIN, DRAFTED, UNFINISHED, REVISED, RETRACTED = range(5)
FATE_MIX = [0.935, 0.025, 0.005, 0.025, 0.010]
SCORECARD = [  # category, weight, is_critical
    ("decision", 50.0, True),
    ("policy_selection", 25.0, False),
    ("tagging", 15.0, False),
    ("notes", 10.0, False),
]
APPEAL_OUTCOMES = ["pending", "granted", "denied", "partial", "withdrawn"]
UPHELD, OVERTURNED, DISPUTE_WITHDRAWN = 1, 2, 3
DISPUTE_OUTCOMES = ["pending", "upheld", "overturned", "withdrawn"]
ACTION_GROUPS = ["not_enforced", "enforced"]


def strata(world: World, decisions: Batch) -> np.ndarray:
    """The stratum of each decision, negative where it is not in the plan's population.

    People: 2 x queue + enforced; automation: 2 x queues + enforced.
    """
    enforced = (decisions["action"] > NO_ACTION).astype(np.int64)
    cell = np.where(
        decisions["by_type"] == AUTOMATION, len(world.queue_ids), decisions["queue"].astype(int)
    )
    eligible = (decisions["action"] <= BAN) & (decisions["by_type"] <= AUTOMATION)
    return np.where(eligible, 2 * cell + enforced, -1)


def plan(week: Week, population: np.ndarray) -> np.ndarray:
    """Planned sample size per stratum: risk-heavy, at least two, at most everybody."""
    world = week.world
    risk = np.array([3.0, 1.2, 0.6])[world.queue_tier] * week.audit_appetite
    risk = np.append(risk, 0.6)
    appetite = np.repeat(risk, 2) * np.tile([0.5, 2.0], len(risk))
    share = population * appetite
    size = world.settings.audit_rate * population.sum() * share / max(share.sum(), 1)
    return np.minimum(np.maximum(np.round(size), 2), population).astype(np.int64)


def stratum_names(world: World) -> list[str]:
    """Stratum ids in the order of `strata`."""
    places = [f"human-{queue}" for queue in world.queue_ids] + ["automation"]
    return [f"{place}-{group}" for place in places for group in ACTION_GROUPS]


def write_week(
    rng: np.random.Generator, week: Week, decisions: Batch, delivery: Delivery
) -> tuple[Batch, Batch, np.ndarray]:
    """Write the week's frame, audits, disputes and appeals.

    Returns the appeals' jobs, the decisions that answer them, and which decisions the plan's
    audits in force at the world's end are of.
    """
    world = week.world
    framed = week.monday + 7 * DAY + 2 * 3600
    stratum = strata(world, decisions)
    n_strata = 2 * len(world.queue_ids) + 2
    population = np.bincount(stratum[stratum >= 0], minlength=n_strata)
    planned = plan(week, population)
    _write_frame(week, population, planned, framed, delivery)

    members = np.argsort(stratum, kind="stable")[int((stratum < 0).sum()) :]
    ends = np.cumsum(population)
    chosen = [
        members[end - size : end][rng.choice(size, n, replace=False, shuffle=False)]
        for end, size, n in zip(ends, population, planned, strict=True)
    ]
    sample = np.concatenate(chosen)
    sample = sample[rng.random(len(sample)) >= 0.03]  # planned, and never done
    sample.sort()
    delay = 1 + 9 * rng.beta(1.5, 3, len(sample))
    late = rng.random(len(sample)) < 0.04
    delay[late] = rng.uniform(10, 35, int(late.sum()))
    audited = decisions["decided"][sample] + (delay * DAY).astype(np.int64)
    # Nobody can audit a sample before it is drawn.
    drawn = framed + 3600 + (rng.random(len(sample)) * 2.8 * DAY).astype(np.int64)
    audited = np.maximum(audited, drawn)
    for incident in world.of_kind("late_audits"):
        late = incident.during(decisions["decided"][sample])
        for _, queue in incident.place:
            late &= decisions["queue"][sample] == queue
        u = chance(world.settings.seed, decisions["decision"][sample], DELAYED)
        audited += np.where(late, u * incident.size * DAY, 0).astype(np.int64)

    appeals = _appeals(rng, world.settings.seed, decisions)
    groups = [(PLANNED, sample, audited), *_other_audits(rng, decisions, stratum, appeals)]
    again = np.flatnonzero(rng.random(len(sample)) < 0.08)
    after = audited[again] + rng.integers(DAY, 7 * DAY, len(again))
    groups.append((BENCHMARK, sample[again], after))

    audits = {
        "method": np.concatenate([np.full(len(row), method) for method, row, _ in groups]),
        "row": np.concatenate([row for _, row, _ in groups]),
        "audited": np.concatenate([at for _, _, at in groups]),
    }
    cell = stratum[audits["row"]]
    in_plan = audits["method"] == PLANNED
    audits["stratum"] = np.where(in_plan, cell, -1)
    rate = planned / np.maximum(population, 1)
    audits["inclusion"] = np.where(in_plan, rate[cell], np.nan)
    audits["audit"] = first_id(week) + np.arange(len(cell))
    in_force = _write_audits(rng, week, decisions, audits, delivery)
    # Whose report led to nothing may complain as well; no audit is drawn for it.
    complaints = operations.complaints(week, decisions)
    appeals = {name: np.concatenate([appeals[name], complaints[name]]) for name in appeals}
    jobs, answers = _write_appeals(rng, week, decisions, appeals, delivery)
    return jobs, answers, audits["row"][in_force & in_plan]


def _write_frame(
    week: Week,
    population: np.ndarray,
    planned: np.ndarray,
    framed: int,
    delivery: Delivery,
) -> None:
    world, kept = week.world, np.flatnonzero(population)
    n, n_queues = len(kept), len(world.queue_ids)
    cell, group = kept // 2, kept % 2
    recorded = np.full(n, framed + 60)
    table = raw_table(
        "sampling_frame",
        recorded,
        plan_id=constant(PLAN_ID, n),
        stratum_id=coded(kept, stratum_names(world)),
        period_start=times(np.full(n, week.monday)),
        period_end=times(np.full(n, week.monday + 7 * DAY)),
        sampling_method=constant(METHODS[PLANNED], n),
        queue_id=coded(np.where(cell < n_queues, cell, -1), world.queue_ids),
        decided_by_type=coded((cell == n_queues).astype(np.int8), ["human", "automation"]),
        action_group=coded(group, ACTION_GROUPS),
        population_size=whole(population[kept]),
        planned_sample_size=whole(planned[kept]),
        framed_at=times(np.full(n, framed)),
    )
    delivery.daily("raw/sampling_frame", table, recorded)


def _other_audits(
    rng: np.random.Generator, decisions: Batch, stratum: np.ndarray, appeals: Batch
) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Audits that were not drawn by chance: method, decision rows and times of each group."""
    n = len(stratum)
    eligible = stratum >= 0
    # Those who look where errors are find errors: chances rise with the square of the risk.
    race = rng.exponential(size=n) / np.where(eligible, decisions["chance"] + 1e-6, 1e-9) ** 2
    wanted = min(int(eligible.sum()), int(0.004 * n))
    targeted = np.sort(np.argpartition(race, wanted)[:wanted]) if wanted else np.array([], int)
    escalated = np.flatnonzero(decisions["escalated"] & eligible & (rng.random(n) < 0.25))
    groups = []
    for method, row in (
        (TARGETED, targeted),
        (ESCALATION, escalated),
        (GOLDEN, np.flatnonzero(eligible & (rng.random(n) < 0.0003))),
        (CALIBRATION, np.flatnonzero(eligible & (rng.random(n) < 0.0003))),
    ):
        after = (rng.uniform(1, 10, len(row)) * DAY).astype(np.int64)
        groups.append((method, row, decisions["decided"][row] + after))
    seen = rng.random(len(appeals["row"])) < 0.3
    after = rng.integers(DAY, 5 * DAY, int(seen.sum()))
    groups.append((APPEAL, appeals["row"][seen], appeals["decided"][seen] + after))
    return groups


def _judge(
    rng: np.random.Generator, world: World, decisions: Batch, row: np.ndarray, errs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The truth as auditors see it: the real one, but where they err.

    An erring auditor confirms a wrong decision, or finds an error in a right one.
    """
    action, policy = decisions["true_action"][row].copy(), decisions["true_policy"][row].copy()
    wrong = decisions["error"][row] != CORRECT
    confirms, invents = np.flatnonzero(errs & wrong), np.flatnonzero(errs & ~wrong)
    action[confirms] = decisions["action"][row[confirms]]
    policy[confirms] = decisions["policy"][row[confirms]]
    action[invents], policy[invents], _ = mistake(
        rng, world, decisions["queue"][row[invents]], action[invents], policy[invents]
    )
    return action, policy


def _write_audits(
    rng: np.random.Generator,
    week: Week,
    decisions: Batch,
    audits: Batch,
    delivery: Delivery,
) -> np.ndarray:
    """Write the audits with their scores and disputes; return which are in force at the end."""
    world, row, n = week.world, audits["row"], len(audits["row"])
    fate = rng.choice(5, n, p=FATE_MIX)
    errs = rng.random(n) < world.settings.auditor_error_rate
    errs &= audits["method"] != BENCHMARK
    action, policy = _judge(rng, world, decisions, row, errs)
    # A revision corrects a first judgement that was wrong.
    first_action, first_policy = _judge(rng, world, decisions, row, ~errs)

    tier = np.where(audits["method"] == BENCHMARK, 3, np.where(rng.random(n) < 0.25, 2, 1))
    auditor = np.zeros(n, np.int64)
    for which in (1, 2, 3):
        pool = np.flatnonzero(world.auditor_tier == which)
        auditor = np.where(tier == which, pool[rng.integers(0, len(pool), n)], auditor)
    errs |= _invent(week, decisions, audits | {"auditor": auditor}, action, policy)
    blind = rng.random(n) < 0.3
    recorded = audits["audited"] + rng.integers(60, 4 * 3600, n)
    later = rng.integers(6 * 3600, 12 * DAY, n)
    finishes = np.flatnonzero(np.isin(fate, [DRAFTED, REVISED, RETRACTED]))
    which = np.concatenate([np.arange(n), finishes])
    revision = np.repeat([1, 2], [n, len(finishes)])
    first = revision == 1
    kind = fate[which]
    drafted = first & ((kind == DRAFTED) | (kind == UNFINISHED))
    mistaken = first & (kind == REVISED)
    truth_action = np.where(mistaken, first_action[which], action[which])
    truth_policy = np.where(mistaken, first_policy[which], policy[which])
    audited = audits["audited"][which] + np.where(first, 0, later[which])
    known = recorded[which] + np.where(first, 0, later[which])
    status = np.where(drafted, DRAFT, np.where(~first & (kind == RETRACTED), WITHDRAWN, FINAL))

    decided_action = decisions["action"][row[which]]
    decided_policy = decisions["policy"][row[which]]
    differs = (decided_action != truth_action) | (decided_policy != truth_policy)
    severity = np.where(truth_policy >= 0, LEAF_SEVERITY[truth_policy], 0)
    technical = differs & (decisions["error"][row[which]] == TECHNICAL) & ~drafted
    missed = differs & (decided_action == NO_ACTION)
    table = raw_table(
        "audits",
        known,
        audit_id=ids("a-", audits["audit"][which]),
        revision_no=whole(revision),
        decision_id=ids("d-", decisions["decision"][row[which]]),
        auditor_id=coded(auditor[which], world.auditors.ids),
        auditor_tier=coded(tier[which], ROLES),
        sampling_method=coded(audits["method"][which], METHODS),
        plan_id=coded(np.where(audits["stratum"][which] >= 0, 0, -1), [PLAN_ID]),
        stratum_id=coded(audits["stratum"][which], stratum_names(world)),
        inclusion_probability=real(audits["inclusion"][which]),
        is_blind=pa.array(blind[which]),
        decided_action_code=coded(decided_action, ACTIONS),
        decided_policy_id=coded(decided_policy, POLICY_IDS),
        truth_action_code=coded(np.where(drafted, -1, truth_action), ACTIONS),
        truth_policy_id=coded(np.where(drafted, -1, truth_policy), POLICY_IDS),
        severity=coded(np.where(drafted, -1, severity), SEVERITIES),
        is_critical=pa.array(missed & (severity >= 3) & ~drafted),
        is_technical_error=pa.array(technical),
        audit_status=coded(status, STATUSES),
        audited_at=times(audited),
    )
    twice = np.flatnonzero(rng.random(len(which)) < 0.005)
    both = np.concatenate([np.arange(len(which)), twice])
    delivery.later("raw/audits", week.number, table.take(both), known[both])

    plain = fate == PLAIN
    wrong = (decisions["action"][row] != action) | (decisions["policy"][row] != policy)
    scored = np.flatnonzero(plain & (audits["method"] == PLANNED) & (rng.random(n) < 0.4))
    judged = {"audit": audits["audit"], "recorded": recorded, "wrong": wrong, "errs": errs} | {
        name: decisions[name][row] for name in ("true_action", "true_policy")
    }
    _write_scores(rng, week, {k: v[scored] for k, v in judged.items()}, delivery)
    disputable = plain & wrong & (decisions["by_type"][row] == HUMAN)
    disputable &= audits["method"] != BENCHMARK
    disputed = np.flatnonzero(disputable & (rng.random(n) < np.where(errs, 0.6, 0.12)))
    _write_disputes(rng, week, {k: v[disputed] for k, v in judged.items()}, delivery)
    # By the last revision that has arrived.
    in_force = np.zeros(n, bool)
    arrived = known < world.horizon
    in_force[which[arrived]] = status[arrived] == FINAL
    return in_force


def _invent(
    week: Week, decisions: Batch, audits: Batch, action: np.ndarray, policy: np.ndarray
) -> np.ndarray:
    """Change what strict auditors say of right decisions; return which audits these are."""
    world, row = week.world, audits["row"]
    share = world.settings.auditor_strictness * world.auditors.error_factor[audits["auditor"]]
    for incident in world.of_kind("strict_auditor"):
        during = incident.during(audits["audited"]) & (audits["auditor"] == incident.code)
        share = np.where(during, np.maximum(share, incident.size), share)
    new = chance(world.settings.seed, audits["audit"], STRICT) < share
    new &= (action == decisions["action"][row]) & (policy == decisions["policy"][row])
    new &= audits["method"] != BENCHMARK
    rng, queue = world.random(week.number, INVENTED), decisions["queue"][row[new]]
    action[new], policy[new], _ = mistake(rng, world, queue, action[new], policy[new])
    return new


def _write_scores(rng: np.random.Generator, week: Week, judged: Batch, delivery: Delivery) -> None:
    audit, wrong, recorded = judged["audit"], judged["wrong"], judged["recorded"]
    k = len(SCORECARD)
    n = len(audit) * k
    category = np.tile(np.arange(k), len(audit))
    weight, critical = (np.array([entry[i] for entry in SCORECARD])[category] for i in (1, 2))
    bad = np.repeat(wrong, k) & (category < 2)
    score = np.where(bad, rng.integers(1, 4, n), np.where(rng.random(n) < 0.85, 5, 4))
    idle = (category == 2) & (rng.random(n) < 0.2)
    table = raw_table(
        "audit_scores",
        np.repeat(recorded, k),
        audit_id=ids("a-", np.repeat(audit, k)),
        revision_no=whole(np.ones(n)),
        category_id=coded(category, [entry[0] for entry in SCORECARD]),
        score=real(np.where(idle, np.nan, score)),
        scale_min=real(np.ones(n)),
        scale_max=real(np.full(n, 5.0)),
        weight=real(weight),
        is_critical=pa.array(critical.astype(bool)),
        is_not_applicable=pa.array(idle),
    )
    delivery.later("raw/audit_scores", week.number, table, np.repeat(recorded, k))


def _write_disputes(
    rng: np.random.Generator, week: Week, judged: Batch, delivery: Delivery
) -> None:
    """A dispute is filed, then resolved; where it is overturned, the real truth has the word."""
    audit, recorded, errs = judged["audit"], judged["recorded"], judged["errs"]
    n = len(audit)
    filed = recorded + rng.integers(3600, 4 * DAY, n)
    resolved = filed + rng.integers(DAY, 9 * DAY, n)
    u = rng.random(n)
    outcome = np.where(errs & (u < 0.9), OVERTURNED, np.where(u > 0.95, DISPUTE_WITHDRAWN, UPHELD))
    which, final = np.tile(np.arange(n), 2), np.repeat([False, True], n)
    overturned = final & (outcome[which] == OVERTURNED)
    known = np.where(final, resolved[which], filed[which]) + 60
    table = raw_table(
        "disputes",
        known,
        dispute_id=ids("x-", audit[which]),
        audit_id=ids("a-", audit[which]),
        filed_at=times(filed[which]),
        resolved_at=times(np.where(final, resolved[which], -1)),
        outcome=coded(np.where(final, outcome[which], PENDING), DISPUTE_OUTCOMES),
        final_action_code=coded(np.where(overturned, judged["true_action"][which], -1), ACTIONS),
        final_policy_id=coded(np.where(overturned, judged["true_policy"][which], -1), POLICY_IDS),
    )
    delivery.later("raw/disputes", week.number, table, known)


def _appeals(rng: np.random.Generator, seed: int, decisions: Batch) -> Batch:
    """Users appeal enforcements, wrong ones more often; every appeal is decided in the end."""
    enforced = operations.is_restriction(decisions["action"])
    wrong = decisions["error"] != CORRECT
    rate = np.where(enforced, np.where(wrong, 0.12, 0.03), 0).astype(np.float32)
    row = np.flatnonzero(rng.random(len(rate), np.float32) < rate)
    n, taken = len(row), decisions["decided"][row]
    filed = taken + 600 + np.minimum(rng.exponential(5 * DAY, n), 60 * DAY).astype(np.int64)
    # The law gives six months, and some take them.
    u = operations.chance(seed, decisions["decision"][row], operations.LATE)
    filed += np.where(u < 0.03, (60 + u / 0.03 * 110) * DAY, 0).astype(np.int64)
    decided = filed + DAY + rng.exponential(5 * DAY, n).astype(np.int64)
    # No appeal ends within a week, so a reversal never falls into its decision's own week.
    decided = np.maximum(decided, taken + 7 * DAY + rng.integers(0, DAY, n))
    u = rng.random(n)
    granted = u < np.where(wrong[row], 0.6, 0.06)
    outcome = np.where(granted, GRANTED, np.where(u > 0.97, APPEAL_WITHDRAWN, DENIED))
    outcome = np.where(~granted & (u > 0.94) & (u <= 0.97), PARTIAL, outcome)
    return {"row": row, "filed": filed, "decided": decided, "outcome": outcome}


def _write_appeals(
    rng: np.random.Generator,
    week: Week,
    decisions: Batch,
    appeals: Batch,
    delivery: Delivery,
) -> tuple[Batch, Batch]:
    """Write the appeals; return their jobs, and the decisions that answer them."""
    seed, n = week.world.settings.seed, len(appeals["row"])
    which, final = np.tile(np.arange(n), 2), np.repeat([False, True], n)
    number = first_id(week) + which
    lag = rng.integers(5, 600, 2 * n)
    known = np.where(final, appeals["decided"][which], appeals["filed"][which]) + lag
    # The answer goes out within minutes, once in a while never.
    u = operations.chance(seed, number, operations.NOTIFIED)
    told = appeals["decided"][which] + (u * lag).astype(np.int64)
    outside = operations.chance(seed, number, operations.CHANNEL) < 0.03
    table = raw_table(
        "appeals",
        known,
        appeal_id=ids("p-", number),
        decision_id=ids("d-", decisions["decision"][appeals["row"][which]]),
        filed_at=times(appeals["filed"][which]),
        decided_at=times(np.where(final, appeals["decided"][which], -1)),
        outcome=coded(np.where(final, appeals["outcome"][which], PENDING), APPEAL_OUTCOMES),
        channel=coded(outside.astype(np.int8), operations.CHANNELS),
        notified_at=times(np.where(final & (u < 0.97), told, -1)),
    )
    delivery.later("raw/appeals", week.number, table, known)

    # The answer is a decision on the appeal's own job.
    jobs = operations.appeal_jobs(week, decisions, appeals)
    outcome = appeals["outcome"]
    lost = np.zeros(n, bool)
    for incident in week.world.of_kind("lost_restores"):
        lost |= incident.during(appeals["decided"])
    granted, nobody = outcome == GRANTED, outcome == APPEAL_WITHDRAWN
    action = operations.answer(granted & ~lost, nobody | (granted & lost))
    system = action == AUTO_CLOSE
    order = np.argsort(appeals["decided"], kind="stable")
    row, decided = appeals["row"][order], appeals["decided"][order]
    experienced = np.flatnonzero(week.world.moderators.hired < week.world.start)
    handling = rng.integers(60, 600, n)
    person = experienced[rng.integers(0, len(experienced), n)]
    action, system = action[order], system[order]
    return jobs, {
        "decision": first_id(week, 4) + np.arange(n),
        "number": jobs["number"][order],
        "item": decisions["item"][row],
        "queue": jobs["queue"][order],
        "reason": jobs["reason"][order],
        "by_type": np.where(system, SYSTEM, HUMAN).astype(np.int8),
        "person": np.where(system, -1, person),
        "started": np.where(system, -1, decided - handling),
        "decided": decided,
        "handling": np.where(system, np.nan, handling).astype(np.float32),
        "action": action,
        "policy": np.full(n, -1, np.int8),
        "later_views": np.full(n, -1),
        "model": np.full(n, -1, np.int16),
        "confidence": np.full(n, np.nan),
        "supersedes": np.where(action == REVERSE, decisions["decision"][row], -1),
        "recorded": same_day(decided, rng.integers(1, 90, n)),
    }


def write_golden(
    rng: np.random.Generator,
    week: Week,
    day: np.ndarray,
    person: np.ndarray,
    delivery: Delivery,
) -> None:
    """Golden items served to people on shift; version v1 of one key is itself wrong."""
    world = week.world
    served = np.flatnonzero(rng.random(len(day)) < 0.3)
    day, person, n = day[served], person[served], len(served)
    at = np.sort(week.monday + day * DAY + rng.integers(8 * 3600, 18 * 3600, n))
    golden = rng.integers(0, len(world.golden_policy), n)
    policy = world.golden_policy[golden].astype(np.int8)
    action = np.where(policy >= 0, LEAF_ACTION[policy], NO_ACTION).astype(np.int8)
    chance = np.minimum(0.6, world.settings.error_rate * week.person_error[day, person])
    wrong = rng.random(n) < chance
    old = at < world.start + world.settings.days // 2 * DAY
    everybody_fails = old & (golden == 7)
    wrong |= everybody_fails
    answer_action, answer_policy = action.copy(), policy.copy()
    queue = np.zeros(int(wrong.sum()), np.int64)
    answer_action[wrong], answer_policy[wrong], _ = mistake(
        rng, world, queue, action[wrong], policy[wrong]
    )
    recorded = same_day(at, np.full(n, 5))
    table = raw_table(
        "golden_results",
        recorded,
        golden_id=coded(golden, [f"g-{i + 1:03d}" for i in range(len(world.golden_policy))]),
        key_version=coded((~old).astype(np.int8), ["v1", "v2"]),
        moderator_id=coded(person, world.moderators.ids),
        served_at=times(at),
        answer_action_code=coded(answer_action, ACTIONS),
        answer_policy_id=coded(answer_policy, POLICY_IDS),
        true_action_code=coded(action, ACTIONS),
        true_policy_id=coded(policy, POLICY_IDS),
    )
    delivery.daily("raw/golden_results", table, recorded)


def write_calibration(rng: np.random.Generator, week: Week, delivery: Delivery) -> None:
    """One session each Wednesday: twelve items, up to eight moderators and an expert."""
    world, items, seats = week.world, 12, 8
    on_shift = np.flatnonzero(week.on_shift[2])
    start = week.monday + 2 * DAY + 10 * 3600
    if start < world.start or not len(on_shift):
        return
    raters = rng.permutation(on_shift)[:seats]
    policy = np.where(rng.random(items) < 0.4, rng.integers(0, len(POLICY_IDS), items), -1)
    action = np.where(policy >= 0, LEAF_ACTION[policy], NO_ACTION)
    experts = np.flatnonzero(world.auditor_tier == 3)
    item, seat = np.divmod(np.arange(items * (len(raters) + 1)), len(raters) + 1)
    expert = seat == len(raters)
    present = expert | (rng.random(len(item)) < 0.9)
    item, seat, expert = item[present], seat[present], expert[present]
    person = raters[np.minimum(seat, len(raters) - 1)]
    # A session holds the hard items: twice the usual error rate.
    chance = 2 * world.settings.error_rate * week.person_error[2, person]
    wrong = ~expert & (rng.random(len(item)) < np.minimum(chance, 0.8))
    rated_action, rated_policy = action[item].astype(np.int8), policy[item].astype(np.int8)
    rated_action[wrong], rated_policy[wrong], _ = mistake(
        rng,
        world,
        np.zeros(int(wrong.sum()), np.int64),
        rated_action[wrong],
        rated_policy[wrong],
    )
    # A grade is a judgement: one in seven is a step off the policy's own.
    severity = np.where(rated_policy >= 0, LEAF_SEVERITY[rated_policy], 0)
    step = rng.choice([-1, 0, 1], len(item), p=[1 / 14, 6 / 7, 1 / 14])
    severity = np.where(severity > 0, np.clip(severity + step, 1, len(SEVERITIES) - 1), 0)
    at = start + item * 240 + seat
    n, n_moderators = len(item), len(world.moderators.ids)
    table = raw_table(
        "calibration_ratings",
        at + 60,
        session_id=constant(f"cal-{week.number + 1:04d}", n),
        item_id=coded(item, [f"cal-{week.number + 1:04d}-{i + 1:02d}" for i in range(items)]),
        rater_id=coded(
            np.where(expert, n_moderators + experts[0], person),
            [*world.moderators.ids, *world.auditors.ids],
        ),
        rater_role=coded(np.where(expert, 3, 0), ROLES),
        action_code=coded(rated_action, ACTIONS),
        policy_id=coded(rated_policy, POLICY_IDS),
        severity=coded(severity, SEVERITIES),
        rated_at=times(at),
    )
    delivery.daily("raw/calibration_ratings", table, at + 60)
