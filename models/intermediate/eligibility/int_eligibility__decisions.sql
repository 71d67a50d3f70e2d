with decisions as (
    select * from {{ ref('stg_decisions') }}
),

actions as (
    select * from {{ ref('action_codes') }}
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
    case
        when actions.is_enforcing then 'enforced'
        when not actions.is_enforcing then 'not_enforced'
    end as action_group,
    -- One reason a decision: the first that holds, in the order of the seed reasons.
    case
        when actions.action_code is null then 'unknown_action_code'
        when actions.exclusion_reason is not null then actions.exclusion_reason
        when decisions.decided_by_type in ('human', 'automation') then null
        else 'decided_by_system'
    end as exclusion_reason
from decisions
left join actions on decisions.action_code = actions.action_code
