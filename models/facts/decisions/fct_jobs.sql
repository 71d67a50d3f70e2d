{% set hows = ['decided', 'escalated', 'answered', 'auto_closed', 'other'] -%}
{% set deciders = ['human', 'automation', 'system'] -%}

with jobs as (
    select * from {{ ref('stg_review_jobs') }}
),

decisions as {{ read_anew() }} (
    select * from {{ ref('stg_decisions') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

queues as (
    select * from {{ ref('stg_queues') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

chains as (
    select * from {{ ref('int_jobs__chains') }}
),

-- When something was first heard of, which a later correction does not change.
first_recorded_jobs as (
    select
        job_id,
        min(recorded_at) as recorded_at
    from {{ ref('int_deliveries__job_revisions') }}
    group by job_id
),

first_recorded_decisions as (
    select
        decision_id,
        min(recorded_at) as recorded_at
    from {{ ref('int_deliveries__decision_revisions') }}
    group by decision_id
),

visits as {{ read_anew() }} (
    select
        decisions.job_id,
        decisions.started_at,
        decisions.decided_at,
        coalesce(first_recorded_decisions.recorded_at, decisions.recorded_at) as known_at,
        case
            when decisions.decided_by_type in ('human', 'automation') then decisions.decided_by_type
            else 'system'
        end as closed_by_type,
        {{ job_end('decisions', 'actions') }} as closed_how
    from decisions
    cross join as_of
    left join actions on decisions.action_code = actions.action_code
    left join first_recorded_decisions
        on decisions.decision_id = first_recorded_decisions.decision_id
    -- Of a bare <= DuckDB expects a thousand rows to be left, and holds all of them in memory.
    where coalesce(decisions.decided_at <= as_of.as_of, false)
),

ends as {{ read_anew() }} (
    select
        job_id,
        started_at as first_opened_at,
        case when closed_how <> 'skipped' then decided_at end as closed_at,
        case when closed_how <> 'skipped' then greatest(decided_at, known_at) end as close_known_at,
        case when closed_how <> 'skipped' then closed_how end as closed_how,
        case when closed_how <> 'skipped' then closed_by_type end as closed_by_type,
        case when closed_how = 'skipped' then 1 else 0 end as n_skips
    from visits
),

-- Nearly all jobs have one visit, and grouping them too takes more memory than all the rest.
repeated as (
    select job_id
    from decisions
    group by job_id
    having count(*) > 1
),

firsts as (
    select
        job_id,
        min(first_opened_at) as first_opened_at,
        min(closed_at) as closed_at,
        min(close_known_at) as close_known_at,
        {% for how in hows -%}
        min(case when closed_how = '{{ how }}' then closed_at end) as first_{{ how }}_at,
        {% endfor -%}
        {% for decider in deciders -%}
        min(case when closed_by_type = '{{ decider }}' then closed_at end)
            as first_{{ decider }}_at,
        {% endfor -%}
        sum(n_skips) as n_skips
    from ends
    where
        exists (
            select 1
            from repeated
            where ends.job_id = repeated.job_id
        )
    group by job_id
),

by_job as (
    select
        job_id,
        first_opened_at,
        closed_at,
        close_known_at,
        closed_how,
        closed_by_type,
        n_skips
    from ends
    where
        not exists (
            select 1
            from repeated
            where ends.job_id = repeated.job_id
        )
    union all
    select
        job_id,
        first_opened_at,
        closed_at,
        close_known_at,
        case
            {% for how in hows -%}
            when first_{{ how }}_at = closed_at then '{{ how }}'
            {% endfor -%}
        end as closed_how,
        case
            {% for decider in deciders -%}
            when first_{{ decider }}_at = closed_at then '{{ decider }}'
            {% endfor -%}
        end as closed_by_type,
        n_skips
    from firsts
),

timed as (
    select
        jobs.*,
        as_of.as_of,
        by_job.first_opened_at,
        by_job.closed_at,
        by_job.close_known_at,
        queues.target_turnaround_minutes as target_at_enqueue,
        {{ add_seconds('jobs.enqueued_at', 'floor(queues.target_turnaround_minutes * 60)') }}
            as due_at,
        coalesce(first_recorded_jobs.recorded_at, jobs.recorded_at) as known_at,
        coalesce(by_job.n_skips, 0) as n_skips,
        by_job.closed_how,
        by_job.closed_by_type,
        case
            when jobs.is_job_made then 'job_made'
            when jobs.enqueued_at > as_of.as_of then 'enqueued_after_as_of'
            when by_job.closed_at < jobs.enqueued_at then 'decided_before_enqueued'
        end as left_out_reason
    from jobs
    cross join as_of
    left join by_job on jobs.job_id = by_job.job_id
    left join first_recorded_jobs on jobs.job_id = first_recorded_jobs.job_id
    left join queues
        on
            jobs.queue_id = queues.queue_id
            and {{ valid_at('queues', 'jobs.enqueued_at') }}
)

select
    timed.job_id,
    timed.item_id,
    coalesce(chains.first_job_id, timed.job_id) as first_job_id,
    chains.previous_job_id,
    timed.queue_id,
    timed.enqueue_reason,
    timed.reported_policy_id,
    timed.item_type,
    timed.language,
    timed.region,
    timed.enqueued_at,
    {{ reporting_date('timed.enqueued_at') }} as enqueued_on,
    timed.first_opened_at,
    timed.closed_at,
    {{ reporting_date('timed.closed_at') }} as closed_on,
    timed.closed_how,
    timed.closed_by_type,
    timed.target_at_enqueue,
    timed.due_at,
    {{ reporting_date('timed.due_at') }} as due_on,
    case
        when timed.left_out_reason is not null then null
        when timed.due_at is null then 'no_target'
        when timed.closed_at <= timed.due_at and timed.closed_how = 'auto_closed'
            then 'met_by_auto_close'
        when timed.closed_at <= timed.due_at then 'met'
        when timed.as_of > timed.due_at then 'breached'
        else 'not_due'
    end as verdict,
    timed.left_out_reason,
    timed.closed_at is null and timed.left_out_reason is null as is_open,
    case
        when timed.left_out_reason is null
            then {{ seconds_between(
                'timed.enqueued_at', 'coalesce(timed.closed_at, timed.as_of)'
            ) }}
    end as wait_seconds,
    cast(timed.n_skips as bigint) as n_skips,
    timed.known_at,
    timed.close_known_at,
    timed.source_system,
    timed.recorded_at
from timed
left join chains on timed.job_id = chains.job_id
