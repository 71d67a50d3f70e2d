{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set is_known -%}
    not measured.has_unaudited_kind and not measured.is_told_by_dimension
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
        case
            when metrics.denominator = 'n_enforced'
                then {{ coverage_rate('population', of='enforced_') }}
            else {{ coverage_rate('population') }}
        end as coverage_rate,
        {{ is_of_the_truth('metrics') }}
        and {{ has_unaudited_kind('population') }} as has_unaudited_kind,
        {{ is_told_by_dimension('metrics', 'population') }} as is_told_by_dimension
    from population
    cross join metrics
    left join suppressed on {{ same_keys('population', 'suppressed', group) }}
),

rates as (
    select
        measured.metric_id,
        measured.metric_version,
        measured.unit,
        measured.period_type,
        measured.period_starts_on,
        measured.period_ends_on,
        measured.dimension_name,
        measured.dimension_value,
        measured.n_decisions,
        measured.n_eligible_decisions,
        measured.n_excluded_decisions,
        measured.n_covered_decisions,
        measured.n_pending_decisions,
        measured.coverage_rate,
        measured.misframed_rate,
        measured.unjudged_rate,
        measured.has_derived_frame,
        measured.is_of_all_decisions,
        measured.n_excluded_audits,
        measured.suppression_code,
        measured.has_unaudited_kind,
        measured.is_told_by_dimension,
        measured.has_few_flags,
        measured.has_no_flag,
        measured.n_audits as n_group_audits,
        measured.unweighted_n,
        case
            when {{ is_known }} then
                measured.unweighted_numerator
                / cast(nullif(measured.unweighted_denominator, 0) as double)
        end as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n_audits,
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
    left join estimates
        on
            measured.metric_id = estimates.metric_id
            and measured.metric_version = estimates.metric_version
            and measured.period_type = estimates.period_type
            and measured.period_starts_on = estimates.period_starts_on
            and measured.dimension_name = estimates.dimension_name
            and measured.dimension_value = estimates.dimension_value
),

judged as (
    select
        *,
        coalesce(
            suppression_code,
            case when has_no_flag then 'flag_not_filled' end,
            {{ withheld_reason() }},
            case when has_few_flags then 'flag_not_filled' end
        ) as reason_code
    from rates
),

-- How many audits have something at stake for a metric says what they found.
shown as (
    select
        metric_id,
        metric_version,
        unit,
        period_type,
        period_starts_on,
        period_ends_on,
        dimension_name,
        dimension_value,
        has_derived_frame,
        is_of_all_decisions,
        {% for name in [
            'n_decisions', 'n_eligible_decisions', 'n_excluded_decisions', 'n_covered_decisions',
            'n_pending_decisions', 'n_excluded_audits', 'coverage_rate', 'misframed_rate',
            'unjudged_rate',
        ] -%}
        case when {{ work_is_shown() }} then {{ name }} end as {{ name }},
        {% endfor -%}
        {% for name in [
            'n_audits', 'n_successes', 'n_strata', 'n_collapsed_strata', 'weighted_numerator',
            'weighted_denominator', 'estimate', 'standard_error', 'standard_error_reason',
            'design_effect', 'effective_n', 'n_base_audits', 'share_in_sight', 'ci_low', 'ci_high',
            'unweighted_n', 'unweighted_rate',
        ] -%}
        case when suppression_code is null then {{ name }} end as {{ name }},
        {% endfor -%}
        reason_code
    from judged
)

select
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    period_ends_on,
    case
        when n_audits > 0 and has_derived_frame then 'derived_frame'
        when n_audits > 0 then 'weighted'
        when unweighted_rate is not null then 'unweighted'
        else 'none'
    end as weighting,
    reason_code is null as is_reportable,
    reason_code,
    ci_high - ci_low > {{ var('max_interval_width') }} as is_wide_interval,
    coalesce(n_collapsed_strata > 0, false) as has_collapsed_strata,
    n_decisions,
    n_eligible_decisions,
    n_excluded_decisions,
    n_covered_decisions,
    n_pending_decisions,
    misframed_rate,
    unjudged_rate,
    n_audits,
    n_base_audits,
    n_successes,
    n_excluded_audits,
    n_strata,
    n_collapsed_strata,
    coverage_rate,
    estimate,
    standard_error,
    standard_error_reason,
    ci_low,
    ci_high,
    case when is_of_all_decisions then (coverage_rate - unjudged_rate) * ci_low end
        as worst_case_low,
    case
        when is_of_all_decisions
            then (coverage_rate - unjudged_rate) * ci_high + 1 - coverage_rate + unjudged_rate
    end as worst_case_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    effective_n,
    design_effect,
    share_in_sight,
    weighted_numerator,
    weighted_denominator,
    unweighted_n,
    unweighted_rate,
    case when unit = 'share' then {{ wilson_bound('unweighted_rate', 'unweighted_n', 'low') }} end
        as unweighted_ci_low,
    case when unit = 'share' then {{ wilson_bound('unweighted_rate', 'unweighted_n', 'high') }} end
        as unweighted_ci_high,
    unweighted_rate - estimate as unweighted_difference
from shown
