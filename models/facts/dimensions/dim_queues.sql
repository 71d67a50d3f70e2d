with queues as (
    select * from {{ ref('stg_queues') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

begun as (
    select
        queues.*,
        (queues.valid_to is null or queues.valid_to > as_of.as_of) as has_not_ended
    from queues
    cross join as_of
    where queues.valid_from <= as_of.as_of
),

latest as (
    select
        *,
        row_number() over (partition by queue_id order by valid_from desc) as period_rank
    from begun
)

select
    queue_id,
    queue_name,
    risk_tier as risk_tier_current,
    target_turnaround_minutes as target_turnaround_minutes_current,
    target_accuracy as target_accuracy_current,
    has_not_ended as is_in_use,
    source_system,
    recorded_at
from latest
where period_rank = 1
