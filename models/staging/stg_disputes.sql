with delivered as (
    {{ latest_known('disputes') }}
)

select
    dispute_id,
    audit_id,
    filed_at,
    resolved_at,
    outcome,
    nullif(final_action_code, '') as final_action_code,
    nullif(final_policy_id, '') as final_policy_id,
    source_system,
    recorded_at
from delivered
