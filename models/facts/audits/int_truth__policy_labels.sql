{% set max_depth = policy_depth() -%}

with audits as (
    select *
    from {{ ref('fct_audits') }}
    where
        coalesce(exclusion_reason, 'no_frame') = 'no_frame'
        and error_class <> 'technical'
),

policies as (
    select * from {{ ref('stg_policies') }}
),

labels_0 as (
    select
        audit_id,
        decided_on,
        decided_at,
        'decided' as side,
        case when has_enforced then coalesce(decided_policy_id, 'no_policy') else 'no_violation' end
            as policy_id
    from audits
    union all
    select
        audit_id,
        decided_on,
        decided_at,
        'true' as side,
        case when is_violating then coalesce(truth_policy_id, 'no_policy') else 'no_violation' end
            as policy_id
    from audits
),

{% for depth in range(1, max_depth) -%}
labels_{{ depth }} as (
    select
        labels.audit_id,
        labels.decided_on,
        labels.decided_at,
        labels.side,
        policies.parent_policy_id as policy_id
    from labels_{{ depth - 1 }} as labels
    inner join policies
        on
            labels.policy_id = policies.policy_id
            and {{ valid_at('policies', 'labels.decided_at') }}
    where policies.parent_policy_id <> labels.policy_id
),

{% endfor -%}
labels as (
    {% for depth in range(max_depth) -%}
    select * from labels_{{ depth }}
    {{ 'union' if not loop.last }}
    {% endfor %}
)

select
    labels.audit_id,
    labels.decided_on,
    labels.policy_id,
    max(policies.policy_version) as policy_version_at_decision,
    max(case when labels.side = 'decided' then 1 else 0 end) = 1 as is_decided,
    max(case when labels.side = 'true' then 1 else 0 end) = 1 as is_true
from labels
left join policies
    on
        labels.policy_id = policies.policy_id
        and {{ valid_at('policies', 'labels.decided_at') }}
group by labels.audit_id, labels.decided_on, labels.policy_id
