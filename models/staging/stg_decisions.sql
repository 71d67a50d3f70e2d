with revisions as (
    select * from {{ ref('base_decisions') }}
),

repeated as (
    select
        decision_id,
        max(recorded_at) as last_recorded_at
    from {{ ref('int_deliveries__decision_revisions') }}
    group by decision_id
)

select
    revisions.decision_id,
    revisions.job_id,
    revisions.item_id,
    revisions.decided_by_type,
    revisions.moderator_key,
    revisions.started_at,
    revisions.decided_at,
    revisions.decided_on,
    revisions.handling_seconds,
    revisions.action_code,
    revisions.policy_id,
    revisions.views_at_decision,
    revisions.model_version,
    revisions.confidence,
    revisions.supersedes_decision_id,
    revisions.source_system,
    revisions.recorded_at
from revisions
left join repeated on revisions.decision_id = repeated.decision_id
where coalesce(revisions.recorded_at = repeated.last_recorded_at, true)
