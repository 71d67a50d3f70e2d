with population as (
    select * from {{ ref('accuracy_population') }}
),

estimates as (
    select * from {{ ref('accuracy_estimates') }}
),

metrics as (
    select * from {{ ref('metrics') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

rates as (
    select
        metrics.metric_id,
        metrics.metric_version,
        population.period_type,
        population.period_starts_on,
        population.period_ends_on,
        population.dimension_name,
        population.dimension_value,
        population.n_decisions,
        population.n_eligible_decisions,
        population.n_excluded_decisions,
        population.n_covered_decisions,
        population.n_excluded_audits,
        population.excluded_decisions_by_reason,
        population.excluded_audits_by_reason,
        population.n_audits as unweighted_n,
        {{ registered_numerator('metrics.numerator', 'population') }}
        / cast(nullif(population.n_audits, 0) as double) as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n_audits,
        coalesce(estimates.n_successes, 0) as n_successes,
        estimates.n_strata,
        estimates.n_collapsed_strata,
        estimates.weighted_numerator,
        estimates.weighted_denominator,
        estimates.estimate,
        estimates.standard_error,
        estimates.design_effect,
        estimates.effective_n,
        estimates.ci_low,
        estimates.ci_high,
        as_of.as_of,
        {{ add_days('population.period_ends_on', var('accuracy_maturity_days')) }}
            as becomes_final_on
    from population
    cross join metrics
    cross join as_of
    left join estimates
        on
            metrics.metric_id = estimates.metric_id
            and metrics.metric_version = estimates.metric_version
            and population.period_type = estimates.period_type
            and population.period_starts_on = estimates.period_starts_on
            and population.dimension_name = estimates.dimension_name
            and population.dimension_value = estimates.dimension_value
),

judged as (
    select
        *,
        case
            when unweighted_n = 0 then 'no_audits'
            when n_audits = 0 then 'no_frame'
            when standard_error is null then 'variance_unknown'
            when n_audits < {{ var('min_audits') }} then 'too_few_audits'
            when effective_n < {{ var('min_effective_n') }} then 'low_effective_n'
        end as reason_code
    from rates
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
        when becomes_final_on < {{ reporting_date('as_of') }} then 'final'
        else 'provisional'
    end as period_status,
    case
        when n_audits > 0 then 'weighted'
        when unweighted_n > 0 then 'unweighted'
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
    n_audits,
    n_successes,
    n_excluded_audits,
    n_strata,
    n_collapsed_strata,
    n_covered_decisions / cast(nullif(n_eligible_decisions, 0) as double) as coverage_rate,
    estimate,
    standard_error,
    ci_low,
    ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    effective_n,
    design_effect,
    weighted_numerator,
    weighted_denominator,
    unweighted_n,
    unweighted_rate,
    {{ wilson_bound('unweighted_rate', 'unweighted_n', 'low') }} as unweighted_ci_low,
    {{ wilson_bound('unweighted_rate', 'unweighted_n', 'high') }} as unweighted_ci_high,
    unweighted_rate - estimate as unweighted_difference,
    excluded_decisions_by_reason,
    excluded_audits_by_reason,
    as_of
from judged
