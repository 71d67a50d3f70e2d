with delivered as (
    {{ latest_known('queues') }}
)

select
    queue_id,
    queue_name,
    risk_tier,
    target_turnaround_minutes,
    target_accuracy,
    valid_from,
    valid_to,
    source_system,
    recorded_at
from delivered
