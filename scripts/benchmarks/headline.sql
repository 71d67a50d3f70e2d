-- The floor: only the headline table, by hand, from the Parquet files. One row per month and queue
-- (and all queues), with the accuracy and the standard error of the stratified sample. Left out is
-- what a layer is for: every other dimension and period, reasons, reconciliation, collapsed strata,
-- intervals, tests.
with decided as (
    select
        decision_id,
        arg_max(job_id, recorded_at) as job_id,
        arg_max(decided_at, recorded_at) as decided_at,
        arg_max(decided_by_type, recorded_at) as decided_by_type,
        arg_max(moderator_id, recorded_at) as moderator_id,
        arg_max(action_code, recorded_at) as action_code
    from read_parquet('{raw}/decisions/*.parquet')
    group by decision_id
),

queued as (
    select
        job_id,
        arg_max(queue_id, recorded_at) as queue_id
    from read_parquet('{raw}/review_jobs/*.parquet')
    group by job_id
),

decisions as (
    select
        decided.decision_id,
        decided.decided_at,
        date_trunc('month', decided.decided_at) as month,
        queued.queue_id,
        decided.moderator_id,
        decided.decided_by_type in ('human', 'automation')
        and decided.action_code not in ('auto_close', 'reverse', 'uphold', 'skip', 'escalate')
            as is_eligible
    from decided
    left join queued on decided.job_id = queued.job_id
),

counted as (
    select
        month,
        coalesce(queue_id, 'all') as queue_id,
        count(*) as n_decisions
    from decisions
    group by grouping sets ((month), (month, queue_id))
),

frame as (
    select
        plan_id,
        stratum_id,
        period_start,
        arg_max(period_end, recorded_at) as period_end,
        arg_max(population_size, recorded_at) as population_size
    from read_parquet('{raw}/sampling_frame/*.parquet')
    group by plan_id, stratum_id, period_start
),

revisions as (
    select
        audit_id,
        revision_no,
        arg_max(
            struct_pack(
                audit_status, sampling_method, auditor_id, plan_id, stratum_id, decision_id, audited_at,
                decided_action_code, decided_policy_id, truth_action_code, truth_policy_id,
                is_technical_error
            ),
            recorded_at
        ) as found
    from read_parquet('{raw}/audits/*.parquet')
    group by audit_id, revision_no
),

standing as (
    select
        audit_id,
        arg_max(found, revision_no) filter (where found.audit_status = 'final') as found,
        max(revision_no) filter (where found.audit_status <> 'draft') as settled,
        max(revision_no) filter (where found.audit_status = 'withdrawn') as withdrawn
    from revisions
    group by audit_id
),

disputes as (
    select
        dispute_id,
        arg_max(
            struct_pack(audit_id, outcome, resolved_at, final_action_code, final_policy_id),
            recorded_at
        ) as said
    from read_parquet('{raw}/disputes/*.parquet')
    group by dispute_id
),

overturned as (
    select
        said.audit_id,
        arg_max(said, said.resolved_at) as said
    from disputes
    where said.outcome = 'overturned'
    group by said.audit_id
),

judged as (
    select
        standing.audit_id,
        standing.found.decision_id,
        standing.found.auditor_id,
        standing.found.audited_at,
        standing.found.plan_id,
        standing.found.stratum_id,
        standing.found.decided_action_code = coalesce(
            overturned.said.final_action_code, standing.found.truth_action_code
        )
        and standing.found.decided_policy_id is not distinct from
        case
            when overturned.said is null then standing.found.truth_policy_id
            else overturned.said.final_policy_id
        end
        and not standing.found.is_technical_error as is_correct
    from standing
    left join overturned on standing.audit_id = overturned.audit_id
    where
        standing.found.sampling_method in ('simple_random', 'stratified_random')
        and standing.withdrawn is distinct from standing.settled
),

sampled as (
    select
        judged.*,
        decisions.month,
        decisions.queue_id,
        frame.period_start,
        frame.population_size
    from judged
    inner join decisions on judged.decision_id = decisions.decision_id
    inner join frame
        on
            judged.plan_id = frame.plan_id
            and judged.stratum_id = frame.stratum_id
            and decisions.decided_at >= frame.period_start
            and decisions.decided_at < frame.period_end
    where
        decisions.is_eligible
        and judged.is_correct is not null
        and not coalesce(judged.auditor_id = decisions.moderator_id, false)
    qualify
        row_number() over (partition by judged.decision_id order by audited_at, audit_id) = 1
),

weighted as (
    select
        *,
        count(*) over stratum as n_stratum,
        population_size / count(*) over stratum as weight
    from sampled
    window stratum as (partition by plan_id, stratum_id, period_start)
),

by_stratum as (
    select
        month,
        coalesce(queue_id, 'all') as queue_id,
        plan_id,
        stratum_id,
        period_start,
        any_value(weight) as weight,
        any_value(n_stratum) as n_stratum,
        any_value(population_size) as population_size,
        count(*) as n,
        count(*) filter (where is_correct) as k
    from weighted
    group by grouping sets (
        (month, plan_id, stratum_id, period_start),
        (month, queue_id, plan_id, stratum_id, period_start)
    )
),

rates as (
    select
        month,
        queue_id,
        sum(n) as n_audits,
        sum(weight * n) as w,
        sum(weight * k) / sum(weight * n) as accuracy
    from by_stratum
    group by month, queue_id
),

variances as (
    select
        month,
        queue_id,
        sum(
            (1 - n_stratum / population_size) * n_stratum / nullif(n_stratum - 1, 0)
            * (weight / w) ** 2
            * (
                k * (1 - accuracy) ** 2 + (n - k) * accuracy ** 2
                - (k - n * accuracy) ** 2 / n_stratum
            )
        ) as variance
    from by_stratum
    inner join rates using (month, queue_id)
    group by month, queue_id
)

select
    counted.month,
    counted.queue_id,
    counted.n_decisions,
    rates.n_audits,
    rates.accuracy,
    sqrt(variances.variance) as standard_error
from counted
left join rates using (month, queue_id)
left join variances using (month, queue_id)
order by counted.month, counted.queue_id
