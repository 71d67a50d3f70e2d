with delivered as (
    {{ latest_known('appeals') }}
)

select
    appeal_id,
    decision_id,
    filed_at,
    decided_at,
    outcome,
    coalesce(channel, 'internal') as channel,
    notified_at,
    source_system,
    recorded_at
from delivered
