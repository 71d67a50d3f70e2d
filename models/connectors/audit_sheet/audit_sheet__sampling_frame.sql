with volumes as (
    select * from {{ ref('audit_sheet__volumes') }}
)

select
    'sheet' as plan_id,
    stratum_id,
    period_start,
    period_end,
    'stratified_random' as sampling_method,
    queue_id,
    'human' as decided_by_type,
    action_group,
    population_size,
    planned_sample_size,
    period_end as framed_at,
    'audit_sheet' as source_system,
    period_end as recorded_at
from volumes
