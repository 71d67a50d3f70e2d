with delivered as (
    {{ latest_known('policies') }}
)

select
    policy_id,
    policy_version,
    nullif(parent_policy_id, '') as parent_policy_id,
    policy_name,
    severity,
    valid_from,
    valid_to,
    source_system,
    recorded_at
from delivered
