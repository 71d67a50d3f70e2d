{% set of_period = ['period_type', 'period_starts_on'] %}
{% set keys = of_period + ['moderator_key'] -%}

with audits as (
    select * from {{ ref('int_people__audits') }}
),

periods as (
    select * from {{ ref('int_people__periods') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

in_periods as (
    select
        periods.period_type,
        periods.period_starts_on,
        periods.period_ends_on,
        audits.*
    from audits
    inner join periods on audits.decided_on = periods.calendar_date
),

by_queue as (
    select
        {{ keys | join(', ') }},
        queue_id,
        {{ exact_sum('weight * n_audits') }} as weight_sum,
        {{ exact_sum('weight * n_correct') }} as weighted_correct,
        {{ exact_sum('weight * n_audits * coalesce(queue_target_at_decision, 0)') }}
            as weighted_target,
        {{ exact_sum(
            'case when queue_target_at_decision is not null then weight * n_audits else 0 end'
        ) }} as targeted_weight
    from in_periods
    group by {{ keys | join(', ') }}, queue_id
),

of_queues as (
    select
        {{ of_period | join(', ') }},
        queue_id,
        {{ exact_sum('weighted_correct') }} / nullif({{ exact_sum('weight_sum') }}, 0) as queue_rate
    from by_queue
    group by {{ of_period | join(', ') }}, queue_id
),

of_everybody as (
    select
        {{ of_period | join(', ') }},
        {{ exact_sum('weighted_correct') }} / nullif({{ exact_sum('weight_sum') }}, 0)
            as overall_estimate
    from by_queue
    group by {{ of_period | join(', ') }}
),

-- What everybody's rates in these queues would give, were they met in this person's mix.
expected as (
    select
        by_queue.{{ keys | join(', by_queue.') }},
        {{ exact_sum('by_queue.weight_sum * of_queues.queue_rate') }}
        / nullif({{ exact_sum('by_queue.weight_sum') }}, 0) as expected_estimate,
        {{ exact_sum('by_queue.weighted_target') }}
        / nullif({{ exact_sum('by_queue.targeted_weight') }}, 0) as target_of_known,
        {{ exact_sum('by_queue.targeted_weight') }}
        / nullif({{ exact_sum('by_queue.weight_sum') }}, 0) as target_coverage_rate
    from by_queue
    inner join of_queues
        on {{ same_keys('by_queue', 'of_queues', of_period + ['queue_id']) }}
    group by by_queue.{{ keys | join(', by_queue.') }}
),

counted as (
    select
        {{ keys | join(', ') }},
        period_ends_on,
        sum(n_technical) as n_technical_audits
    from in_periods
    group by {{ keys | join(', ') }}, period_ends_on
),

by_stratum as (
    select
        {{ keys | join(', ') }},
        stratum_key,
        sum(n_audits) as n_audits,
        sum(n_correct) as n_successes
    from in_periods
    group by {{ keys | join(', ') }}, stratum_key
),

estimates as (
    {{ stratified_rate('by_stratum', 'design', by=keys) }}
),

misframed as (
    {{ misframed_share('by_stratum', 'design', by=keys) }}
)

select
    counted.{{ keys | join(', counted.') }},
    counted.period_ends_on,
    cast(coalesce(estimates.n_audits, 0) as bigint) as n_audits,
    cast(coalesce(estimates.n_successes, 0) as bigint) as n_correct,
    cast(counted.n_technical_audits as bigint) as n_technical_audits,
    {% for name in [
        'n_strata', 'n_collapsed_strata', 'estimate', 'standard_error', 'standard_error_reason',
        'ci_low', 'ci_high', 'effective_n', 'design_effect',
    ] -%}
    estimates.{{ name }},
    {% endfor -%}
    of_everybody.overall_estimate,
    expected.expected_estimate,
    expected.expected_estimate - of_everybody.overall_estimate as mix_effect,
    estimates.estimate - (expected.expected_estimate - of_everybody.overall_estimate)
        as estimate_less_mix_effect,
    case when expected.target_coverage_rate >= 1 - 1e-9 then expected.target_of_known end
        as target_accuracy_at_decision,
    expected.target_coverage_rate,
    misframed.misframed_share
from counted
inner join of_everybody on {{ same_keys('counted', 'of_everybody', of_period) }}
inner join expected on {{ same_keys('counted', 'expected', keys) }}
left join estimates on {{ same_keys('counted', 'estimates', keys) }}
left join misframed on {{ same_keys('counted', 'misframed', keys) }}
