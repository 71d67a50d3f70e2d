with decisions as (
    select * from {{ ref('stg_decisions') }}
),

context as (
    select * from {{ ref('int_context__decisions') }}
),

eligibility as (
    select * from {{ ref('int_eligibility__decisions') }}
),

strata as (
    select * from {{ ref('int_sampling__decision_strata') }}
)

select
    decisions.decision_id,
    decisions.job_id,
    decisions.item_id,
    decisions.supersedes_decision_id,
    strata.stratum_key,
    decisions.decided_at,
    eligibility.decided_on,
    context.queue_id,
    decisions.policy_id,
    context.policy_version_at_decision,
    context.parent_policy_id,
    context.policy_severity_at_decision,
    decisions.decided_by_type,
    decisions.moderator_key,
    context.site,
    context.vendor,
    context.team_id,
    context.language,
    context.region,
    context.item_type,
    decisions.action_code,
    eligibility.action_group,
    decisions.model_version,
    eligibility.exclusion_reason,
    eligibility.exclusion_reason is null as is_eligible,
    cast(1 as bigint) as n_decisions,
    decisions.handling_seconds,
    decisions.views_at_decision,
    decisions.confidence,
    decisions.source_system,
    decisions.recorded_at
from decisions
left join context on decisions.decision_id = context.decision_id
left join eligibility on decisions.decision_id = eligibility.decision_id
left join strata on decisions.decision_id = strata.decision_id
