with delivered as (
    {{ latest_known('reports') }}
)

select
    report_id,
    item_id,
    nullif(job_id, '') as job_id,
    reported_at,
    reporter_kind,
    nullif(policy_id, '') as policy_id,
    is_legal_notice,
    source_system,
    recorded_at
from delivered
