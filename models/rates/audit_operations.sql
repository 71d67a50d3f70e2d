{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] %}

with operations as (
    select * from {{ ref('int_eligibility__audit_operations') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

grouped as (
    select
        operations.*,
        operations.n_audits as n_group_audits,
        suppressed.suppression_code
    from operations
    left join suppressed on {{ same_keys('operations', 'suppressed', group) }}
)

select
    {% for key in group -%}
    {{ key }},
    {% endfor -%}
    sampling_method,
    {{ reason_code(['suppression_code', 'n_group_audits']) }} as reason_code,
    {% for name in [
        'n_eligible_decisions', 'n_audited_decisions', 'n_audits', 'n_blind_known', 'n_blind',
        'turnaround_seconds_median', 'turnaround_seconds_p90',
    ] -%}
    case when suppression_code is null then {{ name }} end as {{ name }},
    {% endfor -%}
    period_ends_on
from grouped
