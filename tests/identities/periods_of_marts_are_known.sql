{% set marts = [
    'accuracy_change', 'accuracy_compared', 'accuracy_if_audits_err', 'accuracy_population', 'accuracy_rates',
    'appeal_rates', 'appeal_turnaround', 'audit_operations', 'calibration_gap', 'change_gate',
    'enforcement_rates', 'exclusions', 'exposure', 'headline', 'moderator_accuracy', 'overturned_decisions',
    'policy_rates', 'quality_rates', 'quality_scores', 'rater_agreement', 'turnaround', 'workload',
] -%}

with of_marts as (
    {% for mart in marts -%}
    select distinct
        '{{ mart }}' as mart,
        period_type,
        period_starts_on,
        period_ends_on
    from {{ ref(mart) }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)

select of_marts.*
from of_marts
left join {{ ref('dim_periods') }} as periods
    on
        of_marts.period_type = periods.period_type
        and of_marts.period_starts_on = periods.period_starts_on
where periods.period_ends_on is distinct from of_marts.period_ends_on
