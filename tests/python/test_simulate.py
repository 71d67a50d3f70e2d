"""The simulated platform keeps the raw contract, its own promises, and its truth apart."""

import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import simulate as script
import yaml
from click.testing import CliRunner
from simulator.columns import RAW_TABLES
from simulator.world import Settings

SOURCES = Path(__file__).parents[2] / "models" / "sources"
TINY = Settings(days=28, decisions_per_day=300, moderators=40, queues=4)
# Long enough for every incident, and big enough to see each.
LONG = Settings(days=119, decisions_per_day=900, moderators=60, queues=6)

TYPES = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
}
ELIGIBLE = """
    select distinct d.decision_id, j.queue_id, d.decided_by_type, d.decided_at,
        if(d.action_code = 'no_action', 'not_enforced', 'enforced') as action_group
    from decisions d inner join review_jobs j using (job_id)
    where d.action_code not in ('escalate', 'skip', 'auto_close', 'reverse')
        and d.decided_by_type in ('human', 'automation')
"""


def open_world(out):
    db = duckdb.connect()
    for name in RAW_TABLES:
        path = out / "raw" / name
        files = f"{path}/*.parquet" if path.is_dir() else f"{path}.parquet"
        db.execute(f"create view {name} as select * from read_parquet('{files}')")
    db.execute(
        f"create view truth as select * from read_parquet('{out}/truth/decisions/*.parquet')"
    )
    db.execute(f"create view incidents as from read_parquet('{out}/truth/incidents.parquet')")
    return db


def first(db, sql):
    return db.execute(sql).fetchone()


def one(db, sql):
    return first(db, sql)[0]


def hashes(out):
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def contract(name):
    return yaml.safe_load((SOURCES / f"{name}.yml").read_text())["sources"][0]["tables"][0]


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("tiny") / "data"
    script.simulate(TINY, out, workers=1)
    return out


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return open_world(tiny_folder)


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("long") / "data"
    script.simulate(LONG, out, workers=1)
    return out


@pytest.fixture(scope="module")
def long(long_folder):
    return open_world(long_folder)


# Determinism and shape


def test_same_seed_gives_the_same_files_whatever_the_workers(tiny_folder, tmp_path):
    script.simulate(TINY, tmp_path, workers=2)
    assert hashes(tmp_path) == hashes(tiny_folder)


def test_another_seed_gives_another_world(tiny_folder, tmp_path):
    script.simulate(Settings(**{**vars(TINY), "seed": 8}), tmp_path, workers=1)
    ours, theirs = hashes(tiny_folder), hashes(tmp_path)
    days = [name for name in ours if name.startswith("raw/decisions/2026")]
    assert days
    assert not [name for name in days if ours[name] == theirs.get(name)]


@pytest.mark.parametrize("name", list(RAW_TABLES))
def test_tables_have_the_columns_and_types_of_the_contract(tiny, name):
    described = tiny.execute(f"describe {name}").fetchall()
    expected = [(c["name"], TYPES[c["data_type"]]) for c in contract(name)["columns"]]
    assert [(column[0], column[1]) for column in described] == expected


def test_enumerations_are_plain_strings_for_every_reader(tiny_folder):
    files = sorted((tiny_folder / "raw").rglob("*.parquet"))
    assert len(files) > 100
    for path in files:
        name = path.relative_to(tiny_folder / "raw").parts[0].removesuffix(".parquet")
        fields = {field.name: field.type for field in pq.read_schema(path)}
        assert fields == RAW_TABLES[name], path


def test_all_tables_of_the_contract_are_simulated():
    assert {path.stem for path in SOURCES.glob("*.yml")} == set(RAW_TABLES)


@pytest.mark.parametrize("name", list(RAW_TABLES))
def test_required_values_are_there(tiny, name):
    columns = [
        c["name"]
        for c in contract(name)["columns"]
        if c.get("config", {}).get("meta", {}).get("is_nullable") is False
    ]
    assert columns
    missing = " or ".join(f"{column} is null" for column in columns)
    assert one(tiny, f"select count(*) from {name}") > 0
    assert one(tiny, f"select count(*) from {name} where {missing}") == 0


@pytest.mark.parametrize("name", list(RAW_TABLES))
def test_a_key_is_recorded_once_at_a_time_but_for_exact_duplicates(long, name):
    key = ", ".join(contract(name)["config"]["meta"]["key"])
    rows = f"select distinct * from {name}"
    found = one(
        long, f"select count(*) from (select {key}, recorded_at from ({rows}) group by all)"
    )
    assert found == one(long, f"select count(*) from ({rows})")


def test_event_files_are_named_by_the_day_of_recording(tiny_folder, tiny):
    for name in RAW_TABLES:
        folder = tiny_folder / "raw" / name
        for path in folder.glob("*.parquet") if folder.is_dir() else []:
            days = tiny.execute(f"select distinct recorded_at::date from '{path}'").fetchall()
            assert days == [(date.fromisoformat(path.stem.removesuffix("-appeals")),)]


def test_the_truth_is_kept_apart(tiny_folder, tiny):
    raw = tiny.execute("select table_name, column_name from duckdb_columns() where not internal")
    columns = {(t, c) for t, c in raw.fetchall() if t in RAW_TABLES}
    leaks = {(t, c) for t, c in columns if c.startswith("true_") and t != "golden_results"}
    leaks |= {(t, c) for t, c in columns if c in ("is_correct", "error_class", "incident_id")}
    assert len(columns) > 100
    assert not leaks
    assert {path.name for path in tiny_folder.iterdir()} == {"raw", "truth"}
    assert {path.stem for path in (tiny_folder / "raw").iterdir()} == set(RAW_TABLES)


# What happens in what order


def test_nothing_is_known_before_it_happens_or_after_the_world_ends(long):
    events = {
        "review_jobs": "greatest(item_created_at, enqueued_at)",
        "decisions": "greatest(started_at, decided_at)",
        "audits": "audited_at",
        "disputes": "greatest(filed_at, resolved_at)",
        "appeals": "greatest(filed_at, decided_at)",
        "sampling_frame": "greatest(framed_at, period_end)",
        "statements_of_reasons": "submitted_at",
        "golden_results": "served_at",
        "calibration_ratings": "rated_at",
        "control_totals": "greatest(reported_at, business_date + 1)",
        "shift_hours": "work_date + 1",
    }
    for name, event in events.items():
        assert one(long, f"select count(*) from {name} where {event} > recorded_at") == 0, name
    for name in RAW_TABLES:
        end = one(long, f"select max(recorded_at)::date from {name}")
        assert end < date.fromordinal(LONG.start.toordinal() + LONG.days), name


def test_every_row_refers_to_something_delivered(long):
    for child, parent, key in (
        ("decisions", "review_jobs", "job_id"),
        ("decision_policies", "decisions", "decision_id"),
        ("audits", "decisions", "decision_id"),
        ("appeals", "decisions", "decision_id"),
        ("statements_of_reasons", "decisions", "decision_id"),
        ("audit_scores", "audits", "audit_id"),
        ("disputes", "audits", "audit_id"),
        ("truth", "decisions", "decision_id"),
    ):
        orphans = one(long, f"select count(*) from {child} anti join {parent} using ({key})")
        assert orphans == 0, f"{child} without {parent}"
    # And not before: a job is known when its decision is, a decision when its audit is.
    early = """
        select count(*) from {child} c inner join {parent} p using ({key})
        where c.recorded_at < p.first
    """
    for child, parent, key in (
        ("decisions", "review_jobs", "job_id"),
        ("audits", "decisions", "decision_id"),
        ("appeals", "decisions", "decision_id"),
        ("statements_of_reasons", "decisions", "decision_id"),
    ):
        first = f"(select {key}, min(recorded_at) as first from {parent} group by all)"
        assert one(long, early.format(child=child, parent=first, key=key)) == 0, child
    people = "(select person_id as moderator_id, min(valid_from) as first from roster group by all)"
    assert one(long, f"select count(*) from decisions d inner join {people} r "
               "using (moderator_id) where d.decided_at < r.first") == 0  # fmt: skip
    strangers = "anti join roster on moderator_id = person_id where moderator_id <> ''"
    assert one(long, f"select count(*) from decisions {strangers}") == 0


def test_jobs_precede_their_decisions_and_some_are_still_open(long):
    joined = "decisions d inner join review_jobs j using (job_id)"
    wrong = "d.started_at < j.enqueued_at or d.decided_at < d.started_at"
    assert one(long, f"select count(*) from {joined} where {wrong}") == 0
    open_jobs = "select count(*) from review_jobs anti join decisions using (job_id)"
    assert one(long, open_jobs) > 0


def test_people_machines_and_the_system_are_told_apart(long):
    kinds = long.execute("""
        select decided_by_type, bool_and(moderator_id <> ''), bool_or(moderator_id = ''),
            bool_and(model_version is not null and confidence between 0.5 and 1)
        from decisions group by 1 order by 1
    """).fetchall()
    assert kinds == [
        ("automation", None, None, True),
        ("human", True, False, False),
        ("system", False, True, False),
    ]
    assert one(long, "select count(distinct model_version) from decisions") > 1


def test_reversals_supersede_decisions_that_a_granted_appeal_named(long):
    reversals = one(
        long, "select count(distinct decision_id) from decisions where action_code = 'reverse'"
    )
    granted = one(long, """
        select count(distinct r.decision_id)
        from decisions r
        inner join decisions d
            on r.supersedes_decision_id = d.decision_id
            and r.item_id = d.item_id
        inner join appeals a on d.decision_id = a.decision_id and a.outcome = 'granted'
        where a.decided_at = r.decided_at
    """)  # fmt: skip
    assert reversals == granted > 0


# The audit plan


def test_the_frame_counts_exactly_the_eligible_decisions(long):
    cells, wrong, audited_weeks = first(
        long,
        f"""
        with eligible as ({ELIGIBLE}),
        counted as (
            select f.stratum_id, f.period_start, f.population_size, count(e.decision_id) as n
            from sampling_frame f
            left join eligible e
                on e.decided_at >= f.period_start and e.decided_at < f.period_end
                and f.decided_by_type = e.decided_by_type and f.action_group = e.action_group
                and (f.queue_id is null or f.queue_id = e.queue_id)
            group by all
        )
        select count(*), count(*) filter (population_size <> n), count(distinct period_start)
        from counted
    """,
    )
    assert wrong == 0
    # The last week ends with the world: its frame is not known yet.
    assert audited_weeks == LONG.days // 7 - 1
    assert cells == audited_weeks * 2 * (LONG.queues + 1)


def test_samples_are_without_replacement_inside_their_stratum_and_plan(long):
    planned = "select distinct * from audits where sampling_method = 'stratified_random'"
    most = one(long, f"select max(n) from (select count(distinct audit_id) n from ({planned}) "
               "group by decision_id)")  # fmt: skip
    assert most == 1
    outside = one(long, f"""
        select count(*)
        from ({planned}) a
        inner join ({ELIGIBLE}) e using (decision_id)
        left join sampling_frame f
            on a.plan_id = f.plan_id and a.stratum_id = f.stratum_id
            and e.decided_at >= f.period_start and e.decided_at < f.period_end
            and e.decided_by_type = f.decided_by_type and e.action_group = f.action_group
            and (f.queue_id is null or e.queue_id = f.queue_id)
            and a.audited_at > f.framed_at
            and abs(a.inclusion_probability - f.planned_sample_size / f.population_size) < 1e-12
        where f.plan_id is null
    """)  # fmt: skip
    assert outside == 0
    done, planned_size, too_many = first(
        long,
        f"""
        with done as (
            select a.stratum_id, date_trunc('week', e.decided_at) as period_start,
                count(distinct audit_id) as n
            from ({planned}) a inner join ({ELIGIBLE}) e using (decision_id) group by all
        )
        select sum(n), sum(planned_sample_size), count(*) filter (n > planned_sample_size)
        from sampling_frame left join done using (stratum_id, period_start)
    """,
    )
    assert too_many == 0
    assert 0.8 < done / planned_size < 1
    small = "planned_sample_size < least(2, population_size)"
    assert one(long, f"select count(*) from sampling_frame where {small}") == 0


def test_only_planned_audits_carry_the_plan(long):
    planned = "sampling_method = 'stratified_random'"
    for column in ("plan_id", "stratum_id", "inclusion_probability"):
        assert (
            one(long, f"select count(*) from audits where ({planned}) <> ({column} is not null)")
            == 0
        )
    methods = long.execute("select distinct sampling_method from audits").fetchall()
    assert len(methods) == 7


def test_weights_find_the_true_accuracy_that_pooling_misses(long):
    truth = one(long, "select avg(is_correct::int) from truth")
    pooled, weighted = first(
        long,
        f"""
        with audited as (
            select distinct a.audit_id, a.stratum_id, t.is_correct::int as y,
                date_trunc('week', t.decided_at) as period_start
            from audits a inner join truth t using (decision_id)
            where a.sampling_method = 'stratified_random'
        ),
        strata as (
            select stratum_id, period_start, avg(y) as rate, count(*) as n, sum(y) as correct
            from audited group by all
        )
        select sum(correct) / sum(n), sum(population_size * rate) / sum(population_size)
        from strata inner join sampling_frame using (stratum_id, period_start)
        where period_start < timestamp '{LONG.start}' + interval 84 day
    """,
    )
    assert 0.90 < truth < 0.96
    assert truth - pooled > 0.04
    assert abs(weighted - truth) < 0.02


def test_targeted_audits_look_where_errors_are(long):
    rates = dict(long.execute("""
        select sampling_method, avg(is_correct::int)
        from audits inner join truth using (decision_id) group by 1
    """).fetchall())  # fmt: skip
    assert rates["targeted"] < rates["stratified_random"] < rates["calibration"]


def test_audits_are_drafted_revised_withdrawn_and_late(long):
    fates = {
        tuple(statuses)
        for (statuses,) in long.execute("""
            select list(audit_status order by revision_no)
            from (select distinct * from audits) group by audit_id
        """).fetchall()
    }
    assert fates == {
        ("final",),
        ("draft",),
        ("draft", "final"),
        ("final", "final"),
        ("final", "withdrawn"),
    }
    days = "epoch(a.audited_at - t.decided_at) / 86400"
    late = one(long, f"select max({days}) from audits a inner join truth t using (decision_id) "
               "where revision_no = 1 and sampling_method = 'stratified_random'")  # fmt: skip
    assert 20 < late <= 35


def test_auditors_who_never_err_report_the_truth(tmp_path):
    script.simulate(Settings(**{**vars(TINY), "auditor_error_rate": 0.0}), tmp_path, workers=1)
    judged, wrong = first(
        open_world(tmp_path),
        """
        with latest as (
            select * from audits
            qualify row_number() over (partition by audit_id order by revision_no desc) = 1
        )
        select count(*), count(*) filter (
            truth_action_code <> true_action_code
            or truth_policy_id is distinct from true_policy_id
        )
        from latest inner join truth using (decision_id)
        where audit_status = 'final'
            and audited_at < timestamp '2026-03-17'
    """,
    )
    # By then every revision has arrived: it takes less than the 13 days that were left.
    assert judged > 30
    assert wrong == 0


def test_overturned_disputes_and_only_they_have_the_last_word(long):
    overturned, wrong, others = first(
        long,
        """
        with audited as (select distinct audit_id, decision_id from audits)
        select count(*) filter (outcome = 'overturned'),
            count(*) filter (outcome = 'overturned' and (
                final_action_code is distinct from true_action_code
                or final_policy_id is distinct from true_policy_id
            )),
            count(*) filter (outcome <> 'overturned' and final_action_code is not null)
        from disputes inner join audited using (audit_id) inner join truth using (decision_id)
    """,
    )
    assert overturned > 0
    assert (wrong, others) == (0, 0)


def test_the_decision_on_an_audit_is_the_decision_as_taken(long):
    differing = one(long, """
        select count(*) from audits a inner join decisions d using (decision_id)
        where a.decided_action_code <> d.action_code
            or a.decided_policy_id is distinct from d.primary_policy_id
    """)  # fmt: skip
    assert differing == 0


# Deliveries


def test_some_rows_are_delivered_twice_and_some_corrected(long):
    for name, share in (("decisions", 0.002), ("audits", 0.005)):
        rows = one(long, f"select count(*) from {name}")
        twice = rows - one(long, f"select count(*) from (select distinct * from {name})")
        assert 0.5 * share < twice / rows < 2 * share, name
    corrected, differing = first(
        long,
        """
        select count(*), count(*) filter (n_actions > 1 or n_handling < 2)
        from (
            select decision_id, count(distinct action_code) as n_actions,
                count(distinct handling_seconds) as n_handling
            from (select distinct * from decisions) group by 1 having count(*) > 1
        )
    """,
    )
    assert corrected > 10
    assert differing == 0


def test_every_decided_appeal_is_answered_on_its_own_job(long):
    """By reverse where granted, uphold where denied; nobody answers what was withdrawn."""
    rows = long.execute("""
        with answered as (
            select a.appeal_id, a.outcome, d.action_code
            from appeals a
            inner join decisions was on a.decision_id = was.decision_id
            inner join review_jobs j
                on j.enqueue_reason = 'appeal' and j.item_id = was.item_id
                and j.enqueued_at = a.filed_at
            left join decisions d on j.job_id = d.job_id
            where a.decided_at is not null
            group by all
        )
        select outcome, action_code, count(*) from answered group by all
    """).fetchall()
    found = {}
    for outcome, action, n in rows:
        found.setdefault(outcome, {})[action] = n
    assert set(found["denied"]) == {"uphold"} and set(found["withdrawn"]) == {"auto_close"}
    # The lost restores: closed, and nothing returned.
    assert 0 < found["granted"]["auto_close"] < found["granted"]["reverse"]
    assert set(found["granted"]) == {"auto_close", "reverse"}
    assert one(long, "select count(*) from review_jobs where queue_id = 'appeals'") == one(
        long, "select count(*) from review_jobs where enqueue_reason = 'appeal'"
    )


def test_an_escalation_closes_its_visit_and_opens_the_next(long):
    late, count = first(
        long,
        """
        with visits as (
            select d.item_id, d.decided_at, min(j.enqueued_at) as next_at
            from decisions d
            left join review_jobs j
                on j.item_id = d.item_id and j.enqueue_reason = 'escalation'
                and j.enqueued_at between d.decided_at and d.decided_at + interval 60 second
            where d.action_code = 'escalate'
            group by all
        )
        select count(*) filter (next_at is null), count(*) from visits
        """,
    )
    assert late == 0 < count
    assert not one(long, """
        select count(*) from (
            select job_id from decisions where action_code <> 'skip' group by 1
            having count(distinct decision_id) > 1
        )
    """), "a visit has one decision"  # fmt: skip


def test_reports_name_the_item_of_their_job_and_come_before_its_decision(long):
    wrong, several, count = first(
        long,
        """
        with counted as (
            select r.job_id, count(*) as n,
                bool_or(r.item_id <> j.item_id or r.reported_at < j.enqueued_at) as is_wrong
            from reports r inner join review_jobs j using (job_id) group by 1
        )
        select count(*) filter (is_wrong), count(*) filter (n > 1), count(*) from counted
        """,
    )
    assert wrong == 0 < several < count
    assert one(long, "select count(*) from reports") == one(
        long, "select count(*) from reports inner join review_jobs using (job_id)"
    )
    silent = one(long, """
        select count(*) from review_jobs j
        where enqueue_reason in ('user_report', 'trusted_flagger', 'authority_order')
            and not is_job_made
            and not exists (select 1 from reports r where r.job_id = j.job_id)
    """)  # fmt: skip
    assert silent == 0, "a job that a report made has it"


def test_restrictions_of_an_act_hold_its_own_action_first(long):
    assert not one(long, """
        select count(*) from decisions d
        full join (select * from decision_actions where is_primary) a using (decision_id)
        where (d.decision_id is null or a.action_code is distinct from d.action_code)
            and coalesce(d.action_code, '') not in
                ('no_action', 'escalate', 'skip', 'auto_close', 'reverse', 'uphold')
    """)  # fmt: skip
    assert one(long, "select count(*) from decision_actions where not is_primary") > 100


def test_made_jobs_have_no_wait(long):
    waits, made = first(long, """
        select count(*) filter (j.enqueued_at <> d.decided_at), count(*)
        from review_jobs j inner join decisions d using (job_id) where j.is_job_made
    """)  # fmt: skip
    assert waits == 0 < made


def test_control_totals_are_what_the_deduplicated_rows_sum_to(long):
    wrong, compared = first(
        long,
        """
        with latest as (
            select d.*, j.queue_id from decisions d inner join review_jobs j using (job_id)
            qualify row_number() over (
                partition by decision_id order by d.recorded_at desc
            ) = 1
        ),
        counted as (
            select decided_at::date as business_date, queue_id as dimension_value,
                count(*)::double as row_count,
                count(distinct item_id)::double as distinct_items,
                coalesce(sum(handling_seconds), 0) as sum_handling_seconds
            from latest group by grouping sets ((1, 2), (1))
        ),
        long as (unpivot counted on row_count, distinct_items, sum_handling_seconds
            into name measure value counted_value)
        select count(*) filter (value <> coalesce(counted_value, 0)), count(*)
        from control_totals c
        left join long l
            on c.business_date = l.business_date and c.measure = l.measure
            and c.dimension_value is not distinct from l.dimension_value
        where c.table_name = 'decisions'
    """,
    )
    assert compared == (LONG.days - 1) * 3 * (2 + LONG.queues)
    assert wrong == 0


# Behaviour and incidents


def test_weekends_are_quieter(long):
    weekend, weekday = first(
        long,
        """
        select count(*) filter (isodow(decided_at) >= 6) / 2,
            count(*) filter (isodow(decided_at) < 6) / 5
        from (select distinct decision_id, decided_at from decisions)
    """,
    )
    assert weekend < 0.8 * weekday


def test_people_learn(long):
    # People hired while the world runs, but for the cohort, whose error rate is an incident.
    hired = f"""
        select person_id, min(hired_on) as hired_on from roster
        where role = 'moderator' and hired_on >= date '{LONG.start}'
            and hired_on not in (select starts_at::date from incidents where kind = 'vendor_cohort')
        group by 1
    """
    new, later = first(
        long,
        f"""
        with judged as (
            select (not is_correct)::int as y,
                date_diff('day', hired_on, t.decided_at::date) as days
            from truth t
            inner join (select distinct decision_id, moderator_id from decisions)
                using (decision_id)
            inner join ({hired}) on moderator_id = person_id
        )
        select avg(y) filter (days < 30), avg(y) filter (days >= 30) from judged
    """,
    )
    assert new > 1.15 * later


def incident(db, kind):
    row = db.execute(
        f"select starts_at, ends_at, dimension_value, size from incidents where kind = '{kind}'"
    ).fetchall()
    assert len(row) == 1, f"{kind} is recorded {len(row)} times"
    return row[0]


def error_rates(db, start, end, where):
    """Error rate of decisions inside and outside a window, where a condition holds."""
    return first(
        db,
        f"""
        with judged as (
            select *, (not is_correct)::int as y,
                decided_at >= '{start}' and decided_at < '{end}' as is_inside
            from truth
        )
        select avg(y) filter (is_inside), avg(y) filter (not is_inside)
        from judged
        inner join (select distinct decision_id, job_id, moderator_id from decisions)
            using (decision_id)
        inner join review_jobs using (job_id)
        where {where}
    """,
    )


def test_a_queue_accuracy_drop_is_recorded_and_visible(long):
    start, end, queue, size = incident(long, "queue_accuracy_drop")
    inside, outside = error_rates(long, start, end, f"queue_id = '{queue}'")
    assert 0.6 * size < inside / outside < 1.4 * size
    inside, outside = error_rates(long, start, end, f"queue_id <> '{queue}'")
    assert inside / outside < 1.5


def test_a_policy_change_is_recorded_and_visible(long):
    start, end, policy, size = incident(long, "policy_change")
    inside, outside = error_rates(long, start, end, f"true_policy_id = '{policy}'")
    assert inside / outside > 0.5 * size
    version = long.execute(
        f"select policy_version from policies "
        f"where policy_id = '{policy}' and valid_from = '{start}'"
    )
    assert version.fetchall() == [("2",)]


def test_a_vendor_cohort_is_recorded_and_visible(long):
    start, end, vendor, _ = incident(long, "vendor_cohort")
    hired = (
        f"select person_id from roster where hired_on = '{start.date()}' and vendor = '{vendor}'"
    )
    assert one(long, f"select count(distinct person_id) from ({hired})") >= 5
    cohort, _ = error_rates(long, start, end, f"moderator_id in ({hired})")
    others, _ = error_rates(long, start, end, f"moderator_id not in ({hired})")
    # Newcomers err about half as much again; the rest is the incident.
    assert cohort > 2.2 * others


def test_a_mix_shift_is_recorded_and_visible(long):
    start, end, queue, size = incident(long, "mix_shift")
    inside, outside = first(
        long,
        f"""
        with weeks as (
            select date_trunc('week', t.decided_at) as week, count(*) as n
            from truth t inner join (select distinct decision_id, job_id from decisions)
                using (decision_id) inner join review_jobs using (job_id)
            where queue_id = '{queue}' group by 1
        )
        select max(n) filter (week = '{start}'), avg(n) filter (week <> '{start}') from weeks
    """,
    )
    assert (end - start).days == 7
    assert 0.8 * size < inside / outside < 1.2 * size


def test_a_missing_day_is_recorded_and_visible(long):
    start, end, table, _ = incident(long, "missing_day")
    assert (
        one(long, f"select count(*) from {table} where submitted_at between '{start}' and '{end}'")
        == 0
    )
    reported = f"table_name = '{table}' and business_date = '{start.date()}'"
    assert one(long, f"select value from control_totals where {reported}") > 0
    assert one(long, f"select count(distinct submitted_at::date) from {table}") == LONG.days - 1


def test_a_broken_feed_is_recorded_and_visible(long):
    start, end, queue, _ = incident(long, "broken_feed")
    blind, seeing = first(
        long,
        f"""
        with fed as (
            select d.decided_at >= '{start}' and d.decided_at < '{end}'
                    and j.queue_id = '{queue}' as is_broken,
                (j.language is null and j.views_at_enqueue is null
                    and d.views_at_decision is null)::int as is_blind
            from decisions d inner join review_jobs j using (job_id)
            where d.action_code not in ('reverse', 'skip', 'escalate')
        )
        select avg(is_blind) filter (is_broken), avg(is_blind) filter (not is_broken) from fed
    """,
    )
    assert (blind, seeing) == (1, 0)


def test_a_bulk_close_is_recorded_and_visible(long):
    start, end, _, size = incident(long, "bulk_close")
    inside, outside = first(
        long,
        f"""
        select avg((action_code = 'auto_close')::int)
                filter (decided_at >= '{start}' and decided_at < '{end}'),
            avg((action_code = 'auto_close')::int)
                filter (decided_at < '{start}' or decided_at >= '{end}')
        from decisions
    """,
    )
    assert 0.7 * size < inside < 1.1 * size
    assert outside < 0.05


def test_a_world_too_short_for_an_incident_leaves_it_out(tiny, long):
    kinds = [set(db.execute("select kind from incidents").fetchall()) for db in (tiny, long)]
    assert ("vendor_cohort",) not in kinds[0]
    assert len(kinds[0]) == 7
    assert len(kinds[1]) == 9


@pytest.mark.parametrize(
    "settings",
    [
        Settings(days=1, decisions_per_day=5, moderators=2, queues=2),
        Settings(days=9, start=date(2026, 3, 5), decisions_per_day=20, moderators=2, queues=3),
    ],
)
def test_a_small_world_has_every_table(settings, tmp_path):
    script.simulate(settings, tmp_path, workers=1)
    db = open_world(tmp_path)
    for name in RAW_TABLES:
        assert len(db.execute(f"describe {name}").fetchall()) == len(contract(name)["columns"])
    assert one(db, "select count(*) from decisions") > 0


# The folder and the command


def test_a_foreign_folder_is_refused_and_force_replaces_it(tmp_path):
    foreign = tmp_path / "raw" / "decisions" / "real.parquet"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"somebody's real data")
    flags = ["--out", str(tmp_path), "--days", "2", "--decisions-per-day", "5", "--workers", "1"]
    refused = CliRunner().invoke(script.main, flags)
    assert refused.exit_code == 1
    assert "did not make" in refused.output
    assert foreign.read_bytes() == b"somebody's real data"
    assert CliRunner().invoke(script.main, [*flags, "--force"]).exit_code == 0
    assert not foreign.exists()


def test_its_own_folder_is_replaced_unless_a_stranger_moved_in(tmp_path):
    settings = Settings(days=2, decisions_per_day=5, moderators=4)
    script.simulate(settings, tmp_path, workers=1)
    script.simulate(Settings(days=1, decisions_per_day=5, moderators=4), tmp_path, workers=1)
    assert json.loads((tmp_path / "truth" / "world.json").read_text())["settings"]["days"] == 1
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "truth"}
    (tmp_path / "raw" / "our_real_table").mkdir()
    with pytest.raises(script.ForeignFolderError, match="our_real_table"):
        script.simulate(settings, tmp_path, workers=1)


def test_a_failure_leaves_the_old_world_and_nothing_half_written(tmp_path, monkeypatch):
    settings = Settings(days=2, decisions_per_day=5, moderators=4)
    script.simulate(settings, tmp_path, workers=1)
    before = hashes(tmp_path)

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(script, "_drain", fail)
    with pytest.raises(OSError, match="disk is full"):
        script.simulate(settings, tmp_path, workers=1)
    assert hashes(tmp_path) == before


def test_the_manifest_counts_what_was_written(tiny_folder, tiny):
    manifest = json.loads((tiny_folder / "truth" / "world.json").read_text())
    for name in RAW_TABLES:
        assert manifest["rows"][f"raw/{name}"] == one(tiny, f"select count(*) from {name}"), name
    truth = one(tiny, "select avg(is_correct::int) from truth")
    assert manifest["true_accuracy"] == pytest.approx(truth, abs=1e-12)


def test_help_and_wrong_usage():
    helped = CliRunner().invoke(script.main, ["--help"])
    assert helped.exit_code == 0
    for flag in ("--seed", "--days", "--decisions-per-day", "--moderators", "--queues", "--force"):
        assert flag in helped.output
    assert CliRunner().invoke(script.main, ["--days", "0"]).exit_code == 2
