{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set keys = ['metric_id', 'metric_version'] + group -%}
{% set is_known -%}
    not measured.has_unaudited_kind and not measured.is_undefined_for_dimension
    and not measured.has_no_flag
{%- endset %}

with population as (
    select *
    from {{ ref('accuracy_population') }}
    where has_rates
),

estimates as (
    select *
    from {{ ref('accuracy_estimates') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'accuracy_rates'
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

measured as (
    select
        metrics.metric_id,
        metrics.metric_version,
        metrics.unit,
        metrics.target,
        population.*,
        suppressed.suppression_code,
        {{ metric_n('metrics', 'population') }} as unweighted_n,
        {{ registered_measure('metrics.numerator', 'population') }} as unweighted_numerator,
        {{ registered_measure('metrics.denominator', 'population') }} as unweighted_denominator,
        metrics.denominator = 'n_audits' as is_of_all_decisions,
        {{ n_flags_unknown('metrics', 'population') }}
        > {{ var('max_unknown_flags') }} * {{ n_flags_asked('metrics', 'population') }}
            as has_few_flags,
        {{ n_flags_asked('metrics', 'population') }} > 0
        and {{ n_flags_unknown('metrics', 'population') }}
        = {{ n_flags_asked('metrics', 'population') }} as has_no_flag,
        {{ metric_coverage('metrics', 'population') }} as coverage_rate,
        {{ is_of_the_truth('metrics') }}
        and {{ has_unaudited_kind('population') }} as has_unaudited_kind,
        {{ is_undefined_for_dimension('metrics', 'population') }} as is_undefined_for_dimension
    from population
    cross join metrics
    left join suppressed on {{ same_keys('population', 'suppressed', group) }}
),

rates as (
    select
        measured.*,
        case
            when
                measured.target = 'target_accuracy'
                and measured.n_targeted_decisions
                >= {{ var('min_coverage_rate') }} * measured.n_eligible_decisions
                then
                    measured.target_millionths
                    / cast(nullif(1000000 * measured.n_targeted_decisions, 0) as double)
        end as target_at_decision,
        measured.n_audits as n_group_audits,
        case
            when {{ is_known }} then
                measured.unweighted_numerator
                / cast(nullif(measured.unweighted_denominator, 0) as double)
        end as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n,
        estimates.n_base_audits,
        estimates.share_in_sight,
        case when measured.unit = 'share' then coalesce(estimates.n_successes, 0) end
            as n_successes,
        estimates.n_strata,
        estimates.n_collapsed_strata,
        {% for name in [
            'weighted_numerator', 'estimate', 'standard_error', 'standard_error_reason',
            'design_effect', 'effective_n', 'ci_low', 'ci_high',
        ] -%}
        case when {{ is_known }} then estimates.{{ name }} end as {{ name }},
        {% endfor -%}
        estimates.weighted_denominator
    from measured
    left join estimates on {{ same_keys('measured', 'estimates', keys) }}
),

bounded as (
    select
        *,
        ci_high - ci_low > {{ var('max_interval_width') }} as is_wide_interval,
        coalesce(n_collapsed_strata > 0 and suppression_code is null, false)
            as has_collapsed_strata,
        case when is_of_all_decisions then (coverage_rate - unjudged_rate) * ci_low end
            as worst_case_low,
        case
            when is_of_all_decisions
                then (coverage_rate - unjudged_rate) * ci_high + 1 - coverage_rate + unjudged_rate
        end as worst_case_high,
        {% for side in ['low', 'high'] -%}
        case
            when unit = 'share' then {{ wilson_bound('unweighted_rate', 'unweighted_n', side) }}
        end as unweighted_ci_{{ side }},
        {% endfor -%}
        unweighted_rate - estimate as unweighted_difference
    from rates
)

-- How many audits have something at stake for a metric says what they found.
{{ publish_rate(
    'bounded',
    keys + ['period_ends_on', 'has_collapsed_strata'],
    asked=[
        'suppression_code', 'has_no_flag', 'is_undefined_for_dimension', 'n_group_audits',
        'has_unaudited_kind', 'unweighted_n', 'n_base_audits', 'misframed_rate', 'unjudged_rate',
        'has_few_flags',
    ],
    values=[
        'is_wide_interval', 'n_successes', 'n_strata', 'n_collapsed_strata', 'worst_case_low',
        'worst_case_high', 'weighted_numerator', 'weighted_denominator', 'design_effect',
        'n_base_audits', 'share_in_sight', 'unweighted_n', 'unweighted_rate', 'unweighted_ci_low',
        'unweighted_ci_high', 'unweighted_difference',
    ],
    counts=[
        'n_people', 'coverage_rate', 'n_decisions', 'n_eligible_decisions',
        'n_excluded_decisions', 'n_covered_decisions', 'n_pending_decisions',
        'n_excluded_audits', 'misframed_rate', 'unjudged_rate', 'target_at_decision',
    ],
    weighted='or_unweighted',
) }}
