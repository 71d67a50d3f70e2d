with queues as (
    select * from {{ ref('stg_queues') }}
),

latest as (
    select
        *,
        row_number() over (partition by queue_id order by valid_from desc) as period_rank
    from queues
)

select
    queue_id,
    queue_name,
    risk_tier as risk_tier_current,
    target_turnaround_minutes as target_turnaround_minutes_current,
    target_accuracy as target_accuracy_current,
    valid_to is null as is_in_use,
    source_system,
    recorded_at
from latest
where period_rank = 1
