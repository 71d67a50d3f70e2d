with delivered as (
    {{ latest_known('decision_actions') }}
)

select
    decision_id,
    action_code,
    is_primary,
    source_system,
    recorded_at
from delivered
