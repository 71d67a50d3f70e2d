with delivered as (
    {{ latest_known('sampling_frame') }}
)

select
    {{ stratum_key('plan_id', 'stratum_id', 'period_start') }} as stratum_key,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    sampling_method,
    nullif(queue_id, '') as queue_id,
    nullif(decided_by_type, '') as decided_by_type,
    nullif(action_group, '') as action_group,
    population_size,
    planned_sample_size,
    framed_at,
    source_system,
    recorded_at
from delivered
