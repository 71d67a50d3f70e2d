{% set decisions_of_days -%}
    select decision_id
    from {{ ref('fct_decisions') }}
    where {{ in_days_to_build('judged', 'decided_on') }}
{%- endset %}

with decisions as (
    select * from {{ ref('fct_decisions') }}
),

audits as (
    select decision_id
    from {{ ref('stg_audits') }}
    where {{ in_range_of('decision_id', decisions_of_days) }}
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
where
    {{ in_days_to_build('judged', 'decisions.decided_on') }}
    and decisions.decision_id in (select audits.decision_id from audits)
