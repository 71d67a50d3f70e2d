with delivered as (
    select
        *,
        false as is_derived
    from {{ ref('stg_sampling_frame') }}
),

decisions as (
    select
        decisions.decided_on,
        decisions.decided_by_type,
        {{ action_group('actions') }} as action_group,
        nullif(jobs.queue_id, '') as queue_id
    from {{ ref('stg_decisions') }} as decisions
    left join {{ ref('action_codes') }} as actions on decisions.action_code = actions.action_code
    left join {{ ref('base_review_jobs') }} as jobs on decisions.job_id = jobs.job_id
    where
        ({{ decision_exclusion('decisions', 'actions') }}) is null
        and {{ var('derive_sampling_frame') | lower }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

counted as (
    select
        {{ week_start('decided_on') }} as week_starts_on,
        queue_id,
        decided_by_type,
        action_group,
        count(*) as population_size
    from decisions
    group by {{ week_start('decided_on') }}, queue_id, decided_by_type, action_group
),

weeks as (
    select
        *,
        {{ utc_timestamp('cast(week_starts_on as timestamp)', var('reporting_timezone')) }}
            as period_start,
        {{ utc_timestamp(
            'cast(' ~ add_days('week_starts_on', 7) ~ ' as timestamp)', var('reporting_timezone')
        ) }} as period_end,
        count(queue_id) over (partition by week_starts_on) > 0 as has_queues
    from counted
),

-- Of all weeks that no delivered stratum touches. A stratum without a queue would hold those of all
-- queues: it is one only where no decision of the week has a queue.
derived as (
    select
        'derived' as plan_id,
        concat(
            coalesce(weeks.queue_id, 'all'), '|', weeks.decided_by_type, '|', weeks.action_group
        ) as stratum_id,
        weeks.period_start,
        weeks.period_end,
        weeks.queue_id,
        weeks.decided_by_type,
        weeks.action_group,
        weeks.population_size,
        as_of.as_of
    from weeks
    cross join as_of
    where
        (weeks.queue_id is not null or not weeks.has_queues)
        and not exists (
            select 1
            from delivered
            where
                delivered.period_start < weeks.period_end
                and delivered.period_end > weeks.period_start
        )
)

select
    stratum_key,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    sampling_method,
    queue_id,
    decided_by_type,
    action_group,
    population_size,
    planned_sample_size,
    framed_at,
    source_system,
    recorded_at,
    is_derived
from delivered
union all
select
    {{ stratum_key('plan_id', 'stratum_id', 'period_start') }} as stratum_key,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    'stratified_random' as sampling_method,
    queue_id,
    decided_by_type,
    action_group,
    cast(population_size as bigint) as population_size,
    cast(null as bigint) as planned_sample_size,
    as_of as framed_at,
    'derived' as source_system,
    as_of as recorded_at,
    true as is_derived
from derived
