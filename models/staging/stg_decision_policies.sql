with delivered as (
    {{ latest_known('decision_policies') }}
)

select
    decision_id,
    policy_id,
    is_primary,
    source_system,
    recorded_at
from delivered
