with audited as (
    select * from {{ ref('audit_sheet__placed') }}
),

volumes as (
    select * from {{ ref('audit_sheet__volumes') }}
),

n_audited as (
    select
        stratum_id,
        period_start,
        count(*) as n_audited
    from audited
    where stratum_id is not null
    group by stratum_id, period_start
),

-- The decisions that the volumes count and no audit names.
others as (
    select
        volumes.*,
        volumes.population_size - coalesce(n_audited.n_audited, 0) as n_others
    from volumes
    left join n_audited
        on
            volumes.stratum_id = n_audited.stratum_id
            and volumes.period_start = n_audited.period_start
),

numbered as (
    select
        *,
        {{ numbers_up_to('n_others') }} as nth
    from others
    where n_others > 0
),

spread as (
    select
        *,
        concat(
            'volume:', stratum_id, '|', cast(cast(period_start as date) as string), ':',
            cast(nth as string)
        ) as decision_id,
        -- Evenly over the week: of what day they are, the volumes do not say.
        {{ add_seconds('period_start', 'floor((nth - 0.5) * 604800 / n_others)') }} as decided_at
    from numbered
)

select
    decision_id,
    decision_id as job_id,
    item_id,
    'human' as decided_by_type,
    moderator_id,
    decided_at,
    action_code,
    policy_id as primary_policy_id,
    queue_id,
    'audit_sheet' as source_system,
    decided_at as recorded_at
from audited
union all
select
    decision_id,
    decision_id as job_id,
    decision_id as item_id,
    'human' as decided_by_type,
    'unknown' as moderator_id,
    decided_at,
    action_code,
    case when action_group = 'enforced' then 'not_in_the_volumes' end as primary_policy_id,
    queue_id,
    'audit_sheet' as source_system,
    decided_at as recorded_at
from spread
