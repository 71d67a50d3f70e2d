{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] %}

with operations as (
    select * from {{ ref('int_eligibility__audit_operations') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
)

select
    operations.period_type,
    operations.period_starts_on,
    operations.dimension_name,
    operations.dimension_value,
    operations.sampling_method,
    coalesce(
        suppressed.suppression_code, case when operations.n_audits = 0 then 'no_audits' end
    ) as reason_code,
    {% for name in [
        'n_eligible_decisions', 'n_audited_decisions', 'n_audits', 'n_blind_known', 'n_blind',
        'turnaround_seconds_median', 'turnaround_seconds_p90',
    ] -%}
    case when suppressed.suppression_code is null then operations.{{ name }} end as {{ name }},
    {% endfor -%}
    operations.period_ends_on
from operations
left join suppressed on {{ same_keys('operations', 'suppressed', group) }}
