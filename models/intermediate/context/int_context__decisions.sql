with decisions as (
    select * from {{ ref('int_eligibility__decisions') }}
),

jobs as (
    select * from {{ ref('stg_review_jobs') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

policies as (
    select * from {{ ref('stg_policies') }}
),

queues as (
    select * from {{ ref('stg_queues') }}
)

select
    decisions.decision_id,
    decisions.job_id,
    decisions.item_id,
    decisions.decided_by_type,
    decisions.moderator_key,
    decisions.started_at,
    decisions.decided_at,
    decisions.handling_seconds,
    decisions.action_code,
    decisions.policy_id,
    decisions.views_at_decision,
    decisions.model_version,
    decisions.confidence,
    decisions.supersedes_decision_id,
    decisions.source_system,
    decisions.recorded_at,
    decisions.decided_on,
    decisions.action_group,
    decisions.exclusion_reason,
    jobs.queue_id,
    jobs.item_type,
    jobs.language,
    jobs.region,
    roster.site,
    roster.vendor,
    roster.team_id,
    policies.policy_version as policy_version_at_decision,
    -- A policy at the top of the tree is its own parent, so that parents sum to all.
    coalesce(policies.parent_policy_id, decisions.policy_id) as parent_policy_id,
    policies.severity as policy_severity_at_decision,
    queues.target_accuracy as queue_target_at_decision
from decisions
left join jobs on decisions.job_id = jobs.job_id
left join roster
    on
        decisions.moderator_key = roster.person_key
        and {{ valid_at('roster', 'decisions.decided_at') }}
left join policies
    on
        decisions.policy_id = policies.policy_id
        and {{ valid_at('policies', 'decisions.decided_at') }}
left join queues
    on
        jobs.queue_id = queues.queue_id
        and {{ valid_at('queues', 'decisions.decided_at') }}
