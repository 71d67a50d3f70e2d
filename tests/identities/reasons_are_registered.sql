-- Whoever reads a code finds its label and sentence in the seed.
{% set marts = [
    'accuracy_rates', 'accuracy_change', 'accuracy_compared', 'error_pareto', 'exclusions', 'overturned_decisions',
    'policy_confusion', 'policy_rates', 'rater_agreement', 'accuracy_if_audits_err',
    'audit_completion', 'audit_operations', 'calibration_gap', 'golden_items', 'quality_rates',
    'quality_scores', 'calibration_gap_by_person', 'moderator_accuracy', 'quality_rates_by_person',
    'appeal_rates', 'appeal_turnaround', 'enforcement_rates', 'exposure', 'headline', 'monitored_slices',
    'numbers_on_breaks', 'reconciliation_checks', 'reconciliation_rows', 'turnaround', 'workload',
] -%}
{% set of_breaks = ['numbers_on_breaks', 'reconciliation_checks', 'reconciliation_rows'] -%}

with reasons as (
    select * from {{ ref('reasons') }}
),

used as (
    {% for mart in marts -%}
    select distinct
        '{{ mart }}' as mart,
        reason_code,
        {% if mart == 'exclusions' -%}
        applies_to
        {%- else -%}
        '{{ 'reconciliation' if mart in of_breaks else 'rate' }}' as applies_to
        {%- endif %}
    from {{ ref(mart) }}
    where reason_code is not null
    union all
    {% endfor %}
    select distinct
        'dsa_cells' as mart,
        reason_code,
        case
            when
                indicator in ('accuracy', 'precision', 'recall')
                and reason_code not in (
                    select transparency.reason_code from reasons as transparency
                    where transparency.applies_to = 'transparency'
                )
                then 'rate'
            else 'transparency'
        end as applies_to
    from {{ ref('dsa_cells') }}
    where reason_code is not null
    union all
    select distinct
        'error_pareto' as mart,
        reason as reason_code,
        'error' as applies_to
    from {{ ref('error_pareto') }}
    where reason <> 'all'
)

select
    used.mart,
    used.reason_code,
    used.applies_to
from used
left join reasons
    on
        used.reason_code = reasons.reason_code
        and used.applies_to = reasons.applies_to
where reasons.reason_code is null
