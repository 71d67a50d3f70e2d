with delivered as (
    {{ latest_known('statements_of_reasons') }}
)

select
    statement_id,
    nullif(decision_id, '') as decision_id,
    nullif(category, '') as category,
    nullif(automated_decision, '') as automated_decision,
    nullif(restriction, '') as restriction,
    nullif(source_type, '') as source_type,
    applied_on,
    submitted_at,
    source_system,
    recorded_at
from delivered
