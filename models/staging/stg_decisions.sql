with latest as (
    {{ last_recorded(
        'decisions', ref('base_decisions'), ref('int_deliveries__decision_revisions')
    ) }}
)

select
    decision_id,
    job_id,
    item_id,
    decided_by_type,
    moderator_key,
    started_at,
    decided_at,
    decided_on,
    handling_seconds,
    action_code,
    policy_id,
    views_at_decision,
    model_version,
    confidence,
    supersedes_decision_id,
    ground,
    automation_level,
    source_system,
    recorded_at
from latest
