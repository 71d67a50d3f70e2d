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
        period_type,
        period_starts_on,
        moderator_key,
        queue_id,
        {{ exact_sum('weight * n_audits') }} as weight_sum,
        {{ exact_sum('weight * n_correct') }} as weighted_correct,
        {{ exact_sum('weight * n_audits * coalesce(queue_target_at_decision, 0)') }}
            as weighted_target,
        {{ exact_sum(
            'case when queue_target_at_decision is not null then weight * n_audits else 0 end'
        ) }} as targeted_weight
    from in_periods
    group by period_type, period_starts_on, moderator_key, queue_id
),

of_queues as (
    select
        period_type,
        period_starts_on,
        queue_id,
        {{ exact_sum('weighted_correct') }} / nullif({{ exact_sum('weight_sum') }}, 0) as queue_rate
    from by_queue
    group by period_type, period_starts_on, queue_id
),

of_everybody as (
    select
        period_type,
        period_starts_on,
        {{ exact_sum('weighted_correct') }} / nullif({{ exact_sum('weight_sum') }}, 0)
            as overall_estimate
    from by_queue
    group by period_type, period_starts_on
),

-- What everybody's rates in these queues would give, were they met in this person's mix.
expected as (
    select
        by_queue.period_type,
        by_queue.period_starts_on,
        by_queue.moderator_key,
        {{ exact_sum('by_queue.weight_sum * of_queues.queue_rate') }}
        / nullif({{ exact_sum('by_queue.weight_sum') }}, 0) as expected_estimate,
        {{ exact_sum('by_queue.weighted_target') }}
        / nullif({{ exact_sum('by_queue.targeted_weight') }}, 0) as target_of_known,
        {{ exact_sum('by_queue.targeted_weight') }}
        / nullif({{ exact_sum('by_queue.weight_sum') }}, 0) as target_coverage_rate
    from by_queue
    inner join of_queues
        on
            by_queue.period_type = of_queues.period_type
            and by_queue.period_starts_on = of_queues.period_starts_on
            and by_queue.queue_id = of_queues.queue_id
    group by by_queue.period_type, by_queue.period_starts_on, by_queue.moderator_key
),

counted as (
    select
        period_type,
        period_starts_on,
        period_ends_on,
        moderator_key,
        sum(n_technical) as n_technical_audits
    from in_periods
    group by period_type, period_starts_on, period_ends_on, moderator_key
),

by_stratum as (
    select
        period_type,
        period_starts_on,
        moderator_key,
        stratum_key,
        sum(n_audits) as n_audits,
        sum(n_correct) as n_successes
    from in_periods
    group by period_type, period_starts_on, moderator_key, stratum_key
),

estimates as (
    {{ stratified_rate(
        'by_stratum', 'design', by=['period_type', 'period_starts_on', 'moderator_key']) }}
)

select
    counted.period_type,
    counted.period_starts_on,
    counted.moderator_key,
    counted.period_ends_on,
    cast(coalesce(estimates.n_audits, 0) as bigint) as n_audits,
    cast(coalesce(estimates.n_successes, 0) as bigint) as n_correct,
    cast(counted.n_technical_audits as bigint) as n_technical_audits,
    estimates.n_strata,
    estimates.n_collapsed_strata,
    estimates.estimate,
    estimates.standard_error,
    estimates.standard_error_reason,
    estimates.ci_low,
    estimates.ci_high,
    estimates.effective_n,
    estimates.design_effect,
    of_everybody.overall_estimate,
    expected.expected_estimate,
    expected.expected_estimate - of_everybody.overall_estimate as mix_effect,
    estimates.estimate - (expected.expected_estimate - of_everybody.overall_estimate)
        as estimate_less_mix_effect,
    case when expected.target_coverage_rate >= 1 - 1e-9 then expected.target_of_known end
        as target_accuracy_at_decision,
    expected.target_coverage_rate
from counted
inner join of_everybody
    on
        counted.period_type = of_everybody.period_type
        and counted.period_starts_on = of_everybody.period_starts_on
inner join expected
    on
        counted.period_type = expected.period_type
        and counted.period_starts_on = expected.period_starts_on
        and counted.moderator_key = expected.moderator_key
left join estimates
    on
        counted.period_type = estimates.period_type
        and counted.period_starts_on = estimates.period_starts_on
        and counted.moderator_key = estimates.moderator_key
