"""Incidents do what a plan says, seen in raw tables, and the truth says what audits can show.

Each effect is measured twice: in a world with the plan, where it is, and in the same one without,
where it is not.
"""

import json
import math
import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pytest
import simulate as script
from click.testing import CliRunner
from projects import ROOT
from simulator.cases import draw_own, evidence, week_of
from simulator.columns import RAW_TABLES
from simulator.incidents import (
    CLEAN_DAYS,
    DAY,
    KINDS,
    LASTING,
    factors,
    incident_table,
    places,
    schedule,
)
from simulator.plans import PlanError, planned, read_plan
from simulator.week import Summary, simulate_week
from simulator.world import Settings, build_world
from test_simulate import first, one, open_world

PLAN = [
    {"kind": "accuracy_change", "place": {"queue": "q02"}, "begin": "2026-03-05", "days": 10},
    {
        "kind": "accuracy_change",
        "place": {"vendor": "vendor_a", "truth_policy": "self_harm.promotion"},
        "size": 6,
        "begin": "2026-03-19",
    },
    {
        "kind": "accuracy_change",
        "place": {"language": "es"},
        "size": 0.3,
        "begin": "2026-04-07",
    },
    {
        "kind": "accuracy_change",
        "place": {"decided_by": "automation"},
        "size": 6,
        "begin": "2026-03-16",
        "days": 21,
        "ramp": True,
    },
    {
        "kind": "accuracy_change",
        "place": {"model_version": "model-1.1"},
        "size": 4,
        "begin": "2026-04-18",
    },
    {
        "kind": "accuracy_change",
        "place": {"site": "manila"},
        "size": 3,
        "begin": "2026-04-18",
        "days": 8,
    },
    {
        "kind": "strict_auditor",
        "place": {"auditor": "aud-005"},
        "size": 0.6,
        "begin": "2026-03-20",
        "days": 28,
    },
    {
        "kind": "audit_plan_change",
        "place": {"queue": "q03"},
        "size": 4,
        "begin": "2026-03-23",
        "days": 14,
    },
    {
        "kind": "late_audits",
        "place": {"queue": "q01"},
        "size": 30,
        "begin": "2026-03-09",
        "days": 5,
    },
    {
        "kind": "partial_loss",
        "place": {"queue": "q04"},
        "size": 0.4,
        "begin": "2026-04-01",
        "days": 3,
    },
    {"kind": "doubled_delivery", "begin": "2026-04-15", "days": 2},
    {
        "kind": "scope_change",
        "place": {"truth_policy": "fraud.scam"},
        "size": 4,
        "begin": "2026-04-06",
    },
    {"kind": "mix_shift", "place": {"queue": "q03"}, "size": 3, "begin": "2026-03-11", "days": 2},
    {
        "kind": "vendor_cohort",
        "place": {"vendor": "in_house"},
        "size": 4,
        "begin": "2026-03-26",
        "days": 14,
    },
]
WORLD = Settings(
    days=56,
    decisions_per_day=700,
    moderators=60,
    queues=4,
    audit_rate=0.08,
    auditor_error_rate=0,
    incidents=PLAN,
)
PAGE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
# Each decision with all that a cell may be of; those that never arrived are not among them.
DECISIONS = """
    create view judged as
    select t.*, (not t.is_correct)::int as y, queue_id as queue, true_policy_id as truth_policy,
        vendor, site, j.language, decided_by_type as decided_by, model_version, hired_on
    from truth t
    inner join (
        select distinct decision_id, job_id, moderator_id, decided_by_type, model_version
        from decisions
    ) using (decision_id)
    inner join (select distinct job_id, queue_id, language from review_jobs) j using (job_id)
    left join (select distinct person_id, vendor, site, hired_on from roster)
        on moderator_id = person_id
"""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The world with the plan, and the one without."""
    found = []
    for plan in (PLAN, "none"):
        out = tmp_path_factory.mktemp("incidents") / "data"
        script.simulate(replace(WORLD, incidents=plan), out, workers=1)
        found.append(open_world(out))
        found[-1].execute(DECISIONS)
    return found


def test_a_plan_has_each_new_kind():
    old = {"policy_change", "queue_accuracy_drop", "backlog_surge", "missing_day", "bulk_close"}
    old |= {"lost_restores", "broken_feed"}
    assert {entry["kind"] for entry in PLAN} == set(KINDS) - old


def ratio(worlds, where, begin, end):
    """The error rate in a window, where a condition holds, by that of the world without a plan."""
    planned_world, clean = (
        one(
            db,
            f"select avg(y) from judged where {where} "
            f"and decided_at >= '{begin}' and decided_at < '{end}'",
        )
        for db in worlds
    )
    return planned_world / clean


@pytest.mark.parametrize(
    ("where", "begin", "end", "size"),
    [
        ("queue = 'q02'", "2026-03-05", "2026-03-15", 3),
        (
            "vendor = 'vendor_a' and truth_policy = 'self_harm.promotion'",
            *("2026-03-19", "2026-04-27", 6),
        ),
        ("language = 'es'", "2026-04-07", "2026-04-18", 0.3),
        ("site = 'manila'", "2026-04-18", "2026-04-26", 3),
        ("model_version = 'model-1.1'", "2026-04-18", "2026-04-27", 4),
        # On average over a drift.
        ("decided_by = 'automation'", "2026-03-16", "2026-04-06", 3.5),
    ],
)
def test_accuracy_changes_where_and_when_the_plan_says(worlds, where, begin, end, size):
    """Both worlds have the same cases, but for the people of the cohort."""
    assert 0.7 * size < ratio(worlds, where, begin, end) < 1.35 * size
    # Of others, but for what else is planned; and of all before the first one.
    others = "vendor = 'vendor_b' and site <> 'manila' and language <> 'es'"
    assert 0.6 < ratio(worlds, f"({where}) is not true and {others}", begin, end) < 1.6
    assert 0.8 < ratio(worlds, "true", "2026-03-02", "2026-03-05") < 1.25


def test_a_drift_grows_day_by_day(worlds):
    by_week = """
        select avg(y) from judged
        where decided_by = 'automation' and decided_at >= '2026-03-16' and decided_at < '2026-04-06'
        group by date_trunc('week', decided_at) order by date_trunc('week', decided_at)
    """
    drifting, steady = ([rate for (rate,) in db.execute(by_week).fetchall()] for db in worlds)
    assert drifting[1] > 1.25 * drifting[0] and drifting[2] > 1.15 * drifting[1]
    assert not (steady[1] > 1.25 * steady[0] and steady[2] > 1.15 * steady[1])


def test_a_cohort_is_hired_only_where_it_is_planned(worlds):
    counts = [
        one(db, "select count(distinct person_id) from roster where hired_on = date '2026-03-26'")
        for db in worlds
    ]
    assert counts[0] >= 6 > counts[1]
    inside, others = (
        one(
            worlds[0],
            "select avg(y) from judged where decided_by = 'human' and decided_at >= '2026-03-26' "
            f"and decided_at < '2026-04-09' and {where}",
        )
        for where in ("hired_on = date '2026-03-26'", "hired_on <> date '2026-03-26'")
    )
    assert inside > 2.5 * others


def test_a_strict_auditor_calls_right_decisions_wrong(worlds):
    invented = """
        select avg((truth_action_code <> true_action_code
            or truth_policy_id is distinct from true_policy_id)::int)
        from audits inner join truth using (decision_id)
        where is_correct and audit_status = 'final' and revision_no = 1
            and sampling_method = 'stratified_random'
            and auditor_id {is_it} 'aud-005'
            and audited_at {inside} between '2026-03-20' and '2026-04-17'
    """
    for_whom = [
        [one(db, invented.format(is_it=is_it, inside=inside)) for db in worlds]
        for is_it, inside in (("=", ""), ("=", "not"), ("<>", ""))
    ]
    (strict, before), others = for_whom[0], for_whom[1:]
    # A first judgement that a revision corrects is wrong by itself: one in forty.
    assert strict > 0.4
    assert before < 0.1
    assert max(max(rates) for rates in others) < 0.1


def test_another_plan_draws_more_of_a_queue_and_says_so(worlds):
    share = """
        select sum(planned_sample_size) filter (inside) / sum(population_size) filter (inside)
            / (sum(planned_sample_size) filter (not inside)
                / sum(population_size) filter (not inside))
        from (
            select *, period_start >= '2026-03-23' and period_start < '2026-04-06' as inside
            from sampling_frame
        )
        where queue_id = '{}'
    """
    changed, usual = (one(db, share.format("q03")) for db in worlds)
    assert changed > 2 > usual
    # The total stays: the others get fewer.
    assert one(worlds[0], share.format("q02")) < 0.9
    wrong = one(worlds[0], """
        select count(*) from audits a
        inner join judged using (decision_id)
        inner join sampling_frame f using (stratum_id)
        where f.period_start = date_trunc('week', judged.decided_at)
            and abs(inclusion_probability - planned_sample_size / population_size) > 1e-12
    """)  # fmt: skip
    assert wrong == 0, "frame and audits agree"


def test_audits_of_the_window_come_late(worlds):
    late = """
        select quantile_cont(epoch(audited_at - decided_at) / 86400, 0.5)
        from audits inner join judged using (decision_id)
        where revision_no = 1 and sampling_method = 'stratified_random' and queue = '{}'
            and decided_at >= '2026-03-09' and decided_at < '2026-03-14'
    """
    planned_world, clean = (one(db, late.format("q01")) for db in worlds)
    assert planned_world > clean + 8
    assert one(worlds[0], late.format("q02")) < clean + 4
    counts = [one(db, "select count(distinct audit_id) from audits") for db in worlds]
    assert min(counts) > 500


def test_a_partial_loss_leaves_the_control_totals(worlds):
    lost = """
        select avg((d.decision_id is null)::int), sum((d.decision_id is null)::int)
        from truth anti join (select decision_id from audits where false) using (decision_id)
        left join (select distinct decision_id from decisions) d using (decision_id)
        where decided_at >= '2026-04-01' and decided_at < '2026-04-04'
    """
    (share, n), (none, _) = (first(db, lost) for db in worlds)
    assert none == 0
    assert 0.4 / 4 * 0.5 < share < 0.4 / 4 * 2
    counted = """
        with counted as (
            select decided_at::date as business_date, queue_id as dimension_value,
                count(distinct decision_id) as n
            from decisions inner join review_jobs using (job_id) group by 1, 2
        )
        select sum(value - n), count(distinct business_date), min(dimension_value)
        from control_totals inner join counted using (business_date, dimension_value)
        where measure = 'row_count' and value <> n
    """
    missing, days, queue = first(worlds[0], counted)
    assert (days, queue) == (3, "q04")
    assert missing >= n > 0
    assert first(worlds[1], counted) == (None, 0, None)


def test_a_doubled_delivery_has_every_row_of_its_days_twice(worlds):
    seen = """
        select count(*) filter (n % 2 = 1) = 0, count(*) filter (n >= 2) / count(*)
        from (
            select count(*) as n from decisions
            where action_code not in ('reverse', 'uphold')
                and supersedes_decision_id is null and recorded_at {} between
                    '2026-04-15' and '2026-04-16 23:59:59'
                and job_id not in (select job_id from review_jobs where queue_id = 'appeals')
            group by decisions
        )
    """
    assert first(worlds[0], seen.format("")) == (True, 1)
    assert first(worlds[0], seen.format("not"))[1] < 0.01
    assert first(worlds[1], seen.format(""))[1] < 0.01


def test_a_wider_scope_has_more_that_violates_and_a_version(worlds):
    share = """
        select avg((true_policy_id is not distinct from 'fraud.scam')::int) filter (inside)
            / avg((true_policy_id is not distinct from 'fraud.scam')::int) filter (not inside)
        from (select *, decided_at >= '2026-04-06' as inside from truth)
    """
    wide, usual = (one(db, share) for db in worlds)
    assert 3.2 < wide < 4.8
    assert 0.7 < usual < 1.4
    versions = [
        db.execute(
            "select distinct policy_version from policies "
            "where policy_id = 'fraud.scam' and valid_from = '2026-04-06'"
        ).fetchall()
        for db in worlds
    ]
    assert versions == [[("2",)], []]
    assert one(worlds[0], share.replace("fraud.scam", "fraud.spam")) < 1.5


def test_a_mix_shift_of_days_is_in_its_queue(worlds):
    volume = """
        select count(*) filter (decided_at >= '2026-03-11' and decided_at < '2026-03-13')
            / count(*) filter (decided_at >= '2026-03-18' and decided_at < '2026-03-20')
        from judged where queue = 'q03'
    """
    shifted, usual = (one(db, volume) for db in worlds)
    assert 2.2 < shifted < 3.8
    assert usual < 1.5


# What the truth keeps


def test_the_truth_names_the_cell_of_each_incident(worlds):
    cells = worlds[0].execute("select kind, cell from incidents order by incident_id").fetchall()
    assert [cell for kind, cell in cells if kind == "accuracy_change"] == [
        "queue=q02",
        "decided_by=automation",
        "truth_policy=self_harm.promotion|vendor=vendor_a",
        "language=es",
        "model_version=model-1.1",
        "site=manila",
    ]
    others = dict(cells)
    assert others["strict_auditor"] is None
    assert others["doubled_delivery"] is None
    assert others["late_audits"] == "queue=q01"
    assert others["scope_change"] == "truth_policy=fraud.scam"
    assert others["vendor_cohort"] == "tenure_band=000-030 days|vendor=in_house"


def test_audits_are_counted_as_the_raw_files_have_them(worlds):
    """Random-sample audits in force, of decisions in the cell and window."""
    in_force = """
        select decision_id from audits
        where sampling_method = 'stratified_random'
        qualify row_number() over (
            partition by audit_id order by revision_no desc, recorded_at desc
        ) = 1 and audit_status = 'final'
    """
    rows = worlds[0].execute(
        "select kind, starts_at, ends_at, cell, n_audits from incidents where n_audits is not null"
    )
    counted = rows.fetchall()
    assert len(counted) == 7
    for kind, start, end, cell, n_audits in counted:
        pairs = [pair.split("=") for pair in cell.split("|") if "tenure_band" not in pair]
        where = [f"{name} = '{value}'" for name, value in pairs]
        if kind == "vendor_cohort":
            where.append(f"hired_on = date '{start.date()}'")
        found = one(
            worlds[0],
            f"select count(*) from ({in_force}) inner join judged using (decision_id) where "
            f"decided_at >= '{start}' and decided_at < '{end}' and {' and '.join(where)}",
        )
        assert found == n_audits, cell
    assert sum(n for *_, n in counted) > 300
    assert one(worlds[0], "select count(*) from incidents where e0 is null") == len(PLAN) - 7


def test_detectability_is_the_excess_by_its_noise(worlds):
    rows = worlds[0].execute(
        "select n_audits, e0, multiple, detectability, size from incidents where e0 is not null"
    )
    for n, e0, multiple, shown, _ in rows.fetchall():
        expected = n * e0 * (multiple - 1)
        noise = n * e0 * (1 - e0) + (n * e0 / 10) ** 2
        assert shown == pytest.approx(expected / math.sqrt(noise), rel=1e-12)
    sizes = {
        kind: (multiple, size)
        for kind, multiple, size in worlds[0]
        .execute("select coalesce(cell, kind), multiple, size from incidents")
        .fetchall()
    }
    multiple, size = sizes["language=es"]
    assert multiple == pytest.approx(size, rel=0.05)
    # A drift is on average far from its size, and no decision is wrong in more than nine of ten.
    multiple, size = sizes["decided_by=automation"]
    assert 0.4 * size < multiple < 0.8 * size
    assert (sizes["strict_auditor"][0], sizes["queue=q01"][0]) == (None, None)


def drawn(plan, week):
    """The cases of a week that begin in it, with the week."""
    world = schedule(build_world(replace(WORLD, incidents=plan)))
    conditions = week_of(world, week)
    return conditions, draw_own(conditions)


@pytest.mark.parametrize("week", [0, 3])
def test_expected_errors_are_those_of_the_world_without_the_incident(week):
    """Also where two meet: the other one stays."""
    other = {
        "kind": "accuracy_change",
        "place": {"language": "en"},
        "size": 2,
        "begin": "2026-03-04",
        "days": 30,
    }
    this = {
        "kind": "accuracy_change",
        "place": {"queue": "q02", "vendor": "vendor_a"},
        "size": 4,
        "begin": "2026-03-05",
        "days": 21,
        "ramp": True,
    }
    (conditions, both), (_, without) = drawn([this, other], week), drawn([other], week)
    people = conditions.world.moderators
    inside = (both["queue"] == 1) & (both["person"] >= 0)
    inside &= people.vendor[both["person"]] == 1
    begin = conditions.world.start + 3 * DAY
    inside &= (both["decided"] >= begin) & (both["decided"] < begin + 21 * DAY)
    rows = np.arange(len(inside))
    # By its place in the list, which is in the order of time: the other began the day before.
    n, before, after = evidence(conditions, both, rows)[1]
    assert n == inside.sum() > 30
    assert before == pytest.approx(without["chance"][inside].sum(dtype=float), rel=1e-5)
    assert after == pytest.approx(both["chance"][inside].sum(dtype=float), rel=1e-5)
    assert after > 1.2 * before


def test_a_world_without_incidents_has_none(worlds, tmp_path):
    assert one(worlds[1], "select count(*) from incidents") == 0
    columns = [row[0] for row in worlds[0].execute("describe incidents").fetchall()]
    assert [row[0] for row in worlds[1].execute("describe incidents").fetchall()] == columns
    # Nobody was hired for it, and no policy was revised for it.
    settings = Settings(incidents="none")
    as_built, scheduled = build_world(settings), schedule(build_world(settings))
    assert (as_built.moderators.hired == scheduled.moderators.hired).all()
    assert (as_built.moderators.vendor == scheduled.moderators.vendor).all()
    assert as_built.revised_policies == scheduled.revised_policies
    default = schedule(build_world(Settings()))
    assert (default.moderators.hired != scheduled.moderators.hired).any()
    assert default.revised_policies != scheduled.revised_policies


def test_the_default_plan_has_one_that_audits_can_show_and_one_that_they_cannot(tmp_path):
    """In the sample, of which only the weeks are drawn that have such an incident."""
    world = schedule(build_world(Settings()))
    weeks = [week for week in range(world.weeks) if factors(world, week)]
    assert 5 < len(weeks) < 12
    audited = script.evidence_of([simulate_week(world, week, tmp_path) for week in weeks])
    rows = incident_table(world, audited).to_pylist()
    shown = {row["kind"]: row["detectability"] for row in rows}
    assert shown["queue_accuracy_drop"] >= 7
    assert 0 < shown["policy_change"] < 5
    assert 0 < shown["vendor_cohort"] < 5
    assert sum(value is not None for value in shown.values()) == 3
    for value in shown.values():
        assert value is None or f"{value:.1f}" in PAGE


def test_the_page_has_each_kind_with_its_places_and_usual_size():
    described = {row.split("`")[1]: row for row in PAGE.splitlines() if row.startswith("| `")}
    settings = {"--incidents", "--variation", "--auditor-strictness", "--season", "--growth"}
    columns = {"cell", "n_audits", "e0", "multiple", "detectability"}
    assert set(described) == set(KINDS) | settings | columns
    for name, kind in KINDS.items():
        assert all(f"`{place}`" in described[name] for place in kind.places), name
        usual, least, most = kind.sizes
        assert least == most or f"({usual:g})" in described[name], name


def test_the_plan_of_the_page_can_be_carried_out(tmp_path):
    (plan,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "plan.yml").write_text(plan)
    settings = Settings(incidents=read_plan(tmp_path / "plan.yml"))
    assert len(schedule(build_world(settings)).incidents) == plan.count("kind:") == 4


# Random plans


def test_random_incidents_are_those_of_their_seed():
    found = [
        schedule(build_world(Settings(seed=seed, days=400, incidents="random"))).incidents
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]
    assert len(found[0]) > 5


def test_what_audits_can_show_does_not_depend_on_which_week_was_done_first():
    rng = np.random.default_rng(1)
    weeks = [
        Summary(week, audited={0: rng.random(3), week % 3: rng.random(3)}) for week in range(9)
    ]
    ways = [script.evidence_of([weeks[i] for i in rng.permutation(9)]) for _ in range(20)]
    assert len({tuple(np.concatenate([way[i] for i in range(3)])) for way in ways}) == 1
    assert ways[0][2] == pytest.approx(sum(week.audited.get(2, 0) for week in weeks))


def test_random_plans_begin_clean_and_keep_the_rules_of_plans():
    start, n, overlaps, kinds = date(2026, 3, 5), 0, 0, {}
    days = 84 + 500
    for seed in range(30):
        world = schedule(
            build_world(Settings(seed=seed, days=days, start=start, incidents="random"))
        )
        known, entries = places(world), []
        for incident in world.incidents:
            assert incident.starts_at >= world.start + CLEAN_DAYS * DAY
            value_of = {k: {code: v for v, code in of.items()} for k, of in known.items()}
            length = (incident.ends_at - incident.starts_at) // DAY
            begin = start + timedelta(days=(incident.starts_at - world.start) // DAY)
            ends = {} if incident.ends_at == world.horizon else {"days": length}
            entries.append(
                {
                    "kind": incident.kind,
                    "place": {name: value_of[name][code] for name, code in incident.place},
                    "size": incident.size,
                    "begin": begin.isoformat(),
                    "ramp": incident.ramp,
                    **ends,
                }
            )
            kinds[incident.kind] = kinds.get(incident.kind, 0) + 1
        assert planned(world, KINDS, LASTING, known, entries) == world.incidents
        passing = [i for i in world.incidents if i.kind not in LASTING]
        n += len(world.incidents)
        overlaps += sum(b.starts_at < a.ends_at for a, b in pairwise(passing))
    assert 18 < 30 * 500 / n < 32, "days an incident"
    assert 0 < overlaps / n < 0.15
    assert kinds["accuracy_change"] > 0.5 * n
    assert set(kinds) == set(KINDS) - {"queue_accuracy_drop", "lost_restores"}


# What differs without an incident


def test_weeks_differ_by_nature_only_where_it_is_asked():
    varied, plain = (
        build_world(Settings(variation=sd, incidents="none", queues=20)) for sd in (0.2, 0)
    )
    factors = np.concatenate(
        [week_of(varied, week).queue_error / varied.queue_difficulty for week in range(40)]
    )
    assert abs(factors.mean() - 1) < 0.03
    assert 0.17 < factors.std() < 0.23
    assert (week_of(plain, 3).queue_error == plain.queue_difficulty).all()


def test_volume_has_its_season_holidays_and_growth_only_where_it_is_asked():
    def volume(first_day, **settings):
        world = build_world(Settings(start=first_day, days=728, incidents="none", **settings))
        return [week_of(world, week).swing for week in range(104)], world

    plain, _ = volume(date(2026, 3, 2))
    assert (np.array(plain) == 1).all()
    seasonal = np.concatenate(volume(date(2026, 3, 2), season=0.2)[0])
    by_date = {date(2026, 3, 2) + timedelta(days=i): x for i, x in enumerate(seasonal)}
    assert by_date[date(2026, 12, 14)] > 1.19
    assert by_date[date(2026, 6, 15)] < 0.81
    assert by_date[date(2026, 12, 25)] < 0.75 * by_date[date(2026, 12, 24)]
    growing, world = volume(date(2026, 3, 2), growth=0.5)
    assert growing[52][1] == pytest.approx(1.5, rel=0.01)
    # Ids of a week have room for what comes in it.
    last = week_of(world, 103)
    cases = draw_own(last)
    assert len(cases["number"]) > 1.9 * len(draw_own(week_of(world, 0))["number"])
    width = cases["number"][0] / 103
    assert cases["number"].max() < 103.5 * width


def test_auditors_have_their_own_strictness_only_where_it_is_asked(tmp_path):
    settings = replace(WORLD, days=21, audit_rate=0.3, incidents="none")
    shares = []
    for strictness in (0.1, 0):
        out = tmp_path / str(strictness)
        script.simulate(replace(settings, auditor_strictness=strictness), out, workers=1)
        rows = open_world(out).execute("""
            select avg((truth_action_code <> true_action_code
                or truth_policy_id is distinct from true_policy_id)::int)
            from (select distinct * from audits) inner join truth using (decision_id)
            where is_correct and audit_status = 'final' and revision_no = 1
                and sampling_method = 'stratified_random'
            group by auditor_id having count(*) > 60
        """).fetchall()  # fmt: skip
        shares.append(np.array([share for (share,) in rows]))
    strict, equal = shares
    # Without it, only first judgements that are corrected later: one in forty, of everybody.
    assert equal.mean() < 0.05 and equal.max() - equal.min() < 0.08
    assert 0.07 < strict.mean() < 0.2 and strict.max() - strict.min() > 0.08


# Plans that are wrong


def refused(entry):
    world = build_world(replace(WORLD, incidents="none"))
    good = {"kind": "doubled_delivery", "begin": "2026-03-05", "days": 1}
    with pytest.raises(PlanError) as error:
        planned(world, KINDS, LASTING, places(world), [good, entry])
    (line,) = str(error.value).splitlines()
    return line


GOOD = {"kind": "accuracy_change", "place": {"queue": "q01"}, "begin": "2026-03-05", "days": 2}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("q01", "entry 2, the entry: `q01` is no mapping; allowed: kind, begin, place,"),
        (GOOD | {"kind": "acuracy_change"}, "kind: unknown `acuracy_change` (did you mean `acc"),
        (GOOD | {"site": "x"}, "entry 2 (accuracy_change), site: unknown field"),
        ({k: v for k, v in GOOD.items() if k != "begin"}, "begin: missing"),
        (GOOD | {"place": "q01"}, "place: `q01` is no mapping of names to values"),
        (GOOD | {"place": {}}, "place: 0 given, 1 to 2 pairs wanted; allowed: queue, truth_policy"),
        (GOOD | {"place": {"policy": "x"}}, "place: unknown `policy`"),
        (GOOD | {"place": {"queue": "q9"}}, "place, queue: unknown `q9`"),
        (GOOD | {"place": {"queue": ["q01"]}}, "place, queue: unknown `['q01']`"),
        (GOOD | {"size": 0}, "size: `0`; allowed: 0.05 to 20 (error rate multiplied by size)"),
        (GOOD | {"size": "big"}, "size: `big`; allowed: 0.05 to 20"),
        (GOOD | {"size": True}, "size: `True`; allowed: 0.05 to 20"),
        (GOOD | {"begin": "2026-02-01"}, "allowed: a date from 2026-03-02 to 2026-04-26"),
        (GOOD | {"begin": "soon"}, "begin: `soon`; allowed: a date from"),
        (GOOD | {"days": 0}, "days: `0`; allowed: 1 to 53, or left out: to the world's end"),
        (GOOD | {"days": 54}, "days: `54`; allowed: 1 to 53"),
        (GOOD | {"days": 1.5}, "days: `1.5`; allowed: 1 to 53"),
        (GOOD | {"ramp": "yes"}, "ramp: `yes`; allowed: true, false"),
        (
            {"kind": "mix_shift", "place": {"queue": "q01"}, "begin": "2026-03-05", "ramp": True},
            "ramp: only of accuracy_change",
        ),
        (
            {"kind": "bulk_close", "place": {"queue": "q01"}, "begin": "2026-03-05", "days": 1},
            "place: 1 given, no pair wanted; nothing is allowed",
        ),
        (
            {"kind": "audit_plan_change", "place": {"queue": "q01"}, "begin": "2026-03-05"},
            "begin: `2026-03-05`; allowed: a Monday",
        ),
        (
            {
                "kind": "audit_plan_change",
                "place": {"queue": "q01"},
                "begin": "2026-03-09",
                "days": 8,
            },
            "days: `8`; allowed: whole weeks",
        ),
        (
            {
                "kind": "scope_change",
                "place": {"truth_policy": "hate.slurs"},
                "begin": "2026-03-09",
                "days": 8,
            },
            "days: left out, for it lasts to the world's end",
        ),
        (
            {"kind": "strict_auditor", "place": {"auditor": "aud-001"}, "begin": "2026-03-09"},
            "place, auditor: unknown `aud-001`",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_its_field_and_what_is_allowed(entry, said):
    message = refused(entry)
    assert message.startswith("entry 2")
    assert said in message


def test_all_that_is_wrong_is_said_at_once():
    world = build_world(replace(WORLD, incidents="none"))
    wrong = [GOOD | {"size": -1, "days": 99}, GOOD, GOOD | {"kind": "x"}]
    with pytest.raises(PlanError) as error:
        planned(world, KINDS, LASTING, places(world), wrong)
    assert [line.split(",")[0] for line in str(error.value).splitlines()] == [
        "entry 1 (accuracy_change)",
        "entry 1 (accuracy_change)",
        "entry 3 (x)",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("incidents: [", "line 1: not YAML"),
        ("incidents: []\nincidents: []", "line 2: `incidents` is here twice"),
        ("plan: []", "the file has one key, `incidents`"),
        ("- kind: x", "the file has one key, `incidents`"),
        ("", "the file has one key, `incidents`"),
        ("incidents: {kind: x}", "incidents: a list of entries"),
        ("incidents: [{kind: x, begin: 2026-03-05}]", "entry 1 (x), kind: unknown `x`"),
    ],
)
def test_a_wrong_plan_ends_with_wrong_usage(tmp_path, text, said):
    file = tmp_path / "plan.yml"
    file.write_text(text)
    run = CliRunner().invoke(
        script.main, ["--incidents", str(file), "--out", str(tmp_path / "data"), "--days", "7"]
    )
    assert run.exit_code == 2
    # The box that it is printed in breaks lines.
    assert said in " ".join(run.output.replace("│", " ").split())
    assert not (tmp_path / "data").exists()


def test_the_command_takes_a_word_or_a_file(tmp_path):
    file, out = tmp_path / "plan.yml", tmp_path / "data"
    file.write_text(
        "incidents:\n"
        "  - {kind: accuracy_change, place: {queue: q01}, size: 2.5, begin: 2026-03-05, days: 3}\n"
    )
    small = ["--out", str(out), "--days", "7", "--decisions-per-day", "20", "--workers", "1"]
    for word, n in ((str(file), 1), ("none", 0)):
        run = CliRunner().invoke(script.main, [*small, "--incidents", word])
        assert run.exit_code == 0, run.output
        incidents = duckdb.sql(f"select * from '{out / 'truth' / 'incidents.parquet'}'")
        assert len(incidents) == n
    settings = json.loads((out / "truth" / "world.json").read_text())["settings"]
    assert settings["incidents"] == "none"
    run = CliRunner().invoke(script.main, [*small, "--incidents", "nothing"])
    assert run.exit_code == 2
    assert "`nothing` is no file, and none of none, default, random" in " ".join(
        run.output.replace("│", " ").split()
    )
    assert set(RAW_TABLES) == {path.stem for path in (out / "raw").iterdir()}
