with audits as (
    select * from {{ ref('int_truth__audits') }}
),

eligibility as (
    select * from {{ ref('int_eligibility__audits') }}
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

decisions as (
    select * from {{ ref('int_eligibility__audited_decisions') }}
),

policies as (
    select * from {{ ref('stg_policies') }}
),

severities as (
    select * from {{ ref('severity_points') }}
),

scale as (
    select max(points) as max_points from severities
),

in_context as (
    select
        audits.*,
        eligibility.stratum_key,
        eligibility.exclusion_reason,
        decisions.decided_at,
        decisions.decided_on,
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
        decisions.confidence,
        decisions.views_at_decision,
        case when eligibility.exclusion_reason is null then strata.weight end as weight,
        truth.policy_version as truth_policy_version_at_decision,
        coalesce(truth.parent_policy_id, audits.truth_policy_id) as truth_parent_policy_id,
        coalesce(decided.parent_policy_id, audits.decided_policy_id) as decided_parent_policy_id,
        -- A dispute that finds another error does not say how grave that one is.
        case
            when audits.error_class = 'correct' then 0
            when audits.error_class is null or audits.is_overturned then null
            when audits.is_critical then 1
            when not audits.is_critical then 0
        end as n_critical,
        case
            when audits.error_class = 'correct' then 0
            when audits.error_class is not null and not audits.is_overturned
                then severities.points
        end as points_lost,
        scale.max_points
    from audits
    cross join scale
    left join eligibility on audits.audit_id = eligibility.audit_id
    left join strata on eligibility.stratum_key = strata.stratum_key
    left join decisions on audits.decision_id = decisions.decision_id
    left join policies as truth
        on
            audits.truth_policy_id = truth.policy_id
            and {{ valid_at('truth', 'decisions.decided_at') }}
    left join policies as decided
        on
            audits.decided_policy_id = decided.policy_id
            and {{ valid_at('decided', 'decisions.decided_at') }}
    left join severities on audits.severity = severities.severity
)

select
    audit_id,
    revision_no,
    decision_id,
    stratum_key,
    plan_id,
    audited_at,
    decided_at,
    decided_on,
    queue_id,
    policy_id,
    policy_version_at_decision,
    parent_policy_id,
    decided_by_type,
    moderator_key,
    site,
    vendor,
    team_id,
    language,
    region,
    item_type,
    model_version,
    confidence,
    auditor_key,
    auditor_tier,
    sampling_method,
    audit_status,
    is_blind,
    is_overturned,
    decided_action_code,
    decided_policy_id,
    truth_action_code,
    truth_policy_id,
    truth_policy_version_at_decision,
    severity,
    is_critical,
    is_technical_error,
    has_enforced,
    is_violating,
    error_class,
    case
        when error_class <> 'wrong_selection' then null
        when decided_policy_id is null then 'no_policy_named'
        when decided_policy_id = truth_policy_id then 'same_policy'
        when decided_parent_policy_id = truth_parent_policy_id then 'same_parent'
        else 'other_parent'
    end as selection_distance,
    case when error_class = 'wrong_selection' then strictness end as selection_strictness,
    exclusion_reason,
    exclusion_reason is null as is_counted,
    cast(1 as bigint) as n_audits,
    {% for class in error_classes() -%}
    cast(case when error_class = '{{ class }}' then 1 else 0 end as bigint) as n_{{ class }},
    {% endfor -%}
    cast(n_critical as bigint) as n_critical,
    cast(points_lost as bigint) as severity_points_lost,
    cast(case when points_lost is not null then max_points end as bigint)
        as severity_points_at_stake,
    views_at_decision,
    weight,
    source_system,
    recorded_at
from in_context
