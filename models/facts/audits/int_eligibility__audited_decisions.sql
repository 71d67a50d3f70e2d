with decisions as (
    select * from {{ ref('fct_decisions') }}
),

audits as (
    select decision_id from {{ ref('stg_audits') }}
)

select
    decisions.decision_id,
    decisions.decided_at,
    decisions.decided_on,
    decisions.stratum_key,
    decisions.queue_id,
    decisions.policy_id,
    decisions.policy_version_at_decision,
    decisions.parent_policy_id,
    decisions.decided_by_type,
    decisions.moderator_key,
    decisions.site,
    decisions.vendor,
    decisions.team_id,
    decisions.language,
    decisions.region,
    decisions.item_type,
    decisions.model_version,
    decisions.exclusion_reason,
    decisions.views_at_decision,
    decisions.confidence
from decisions
where decisions.decision_id in (select audits.decision_id from audits)
