{{ built_by_days('decisions', 'recorded_on') }}

with delivered as (
    {{ revisions('decisions', ref('int_deliveries__decision_revisions')) }}
)

select
    decision_id,
    job_id,
    item_id,
    -- An empty moderator is how some systems write "the system did it".
    case
        when decided_by_type = 'human' and moderator_id = '' then 'system'
        else decided_by_type
    end as decided_by_type,
    case
        when decided_by_type = 'human' then {{ pseudonym("nullif(moderator_id, '')") }}
    end as moderator_key,
    started_at,
    decided_at,
    {{ decided_on() }} as decided_on,
    handling_seconds,
    action_code,
    nullif(primary_policy_id, '') as policy_id,
    views_at_decision,
    model_version,
    confidence,
    supersedes_decision_id,
    ground,
    automation_level,
    source_system,
    recorded_at,
    {{ recorded_on() }} as recorded_on
from delivered
