with audits as (
    select *
    from {{ ref('int_truth__audits') }}
    where {{ in_days_to_build('judged', 'decided_on') }}
),

eligibility as (
    select *
    from {{ ref('int_eligibility__audits') }}
    where {{ in_days_to_build('judged', 'decided_on') }}
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

decisions as (
    select * from {{ ref('int_eligibility__audited_decisions') }}
)

select
    audits.audit_id,
    audits.revision_no,
    audits.decision_id,
    eligibility.stratum_key,
    audits.plan_id,
    audits.audited_at,
    decisions.decided_at,
    decisions.decided_on,
    decisions.queue_id,
    decisions.policy_id,
    decisions.parent_policy_id,
    decisions.decided_by_type,
    decisions.moderator_key,
    decisions.site,
    decisions.vendor,
    decisions.team_id,
    decisions.language,
    decisions.region,
    decisions.item_type,
    audits.auditor_key,
    audits.auditor_tier,
    audits.sampling_method,
    audits.audit_status,
    audits.is_blind,
    audits.is_overturned,
    audits.decided_action_code,
    audits.decided_policy_id,
    audits.truth_action_code,
    audits.truth_policy_id,
    audits.severity,
    audits.is_critical,
    audits.error_class,
    eligibility.exclusion_reason,
    eligibility.exclusion_reason is null as is_counted,
    cast(1 as bigint) as n_audits,
    {% for class in error_classes() -%}
    cast(case when audits.error_class = '{{ class }}' then 1 else 0 end as bigint) as n_{{ class }},
    {% endfor -%}
    case when eligibility.exclusion_reason is null then strata.weight end as weight,
    audits.source_system,
    audits.recorded_at
from audits
left join eligibility on audits.audit_id = eligibility.audit_id
left join strata on eligibility.stratum_key = strata.stratum_key
left join decisions on audits.decision_id = decisions.decision_id
