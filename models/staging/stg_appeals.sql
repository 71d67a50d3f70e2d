with delivered as (
    {{ latest_known('appeals') }}
)

select
    appeal_id,
    decision_id,
    filed_at,
    decided_at,
    outcome,
    source_system,
    recorded_at
from delivered
