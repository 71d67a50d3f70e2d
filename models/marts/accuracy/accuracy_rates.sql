{% set keys = [
    'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name', 'dimension_value',
] %}

with cells as (
    select * from {{ ref('accuracy_cells') }}
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

estimates as (
    select * from {{ ref('accuracy_estimates') }}
),

metrics as (
    select * from {{ ref('metrics') }}
),

reasons as (
    select * from {{ ref('exclusion_reasons') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- What each period and dimension value holds, audited or not: the rows of the mart.
population as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        sum(cells.n_decisions) as n_decisions,
        sum(case when cells.exclusion_reason is null then cells.n_decisions else 0 end)
            as n_eligible_decisions,
        sum(case when cells.exclusion_reason is not null then cells.n_decisions else 0 end)
            as n_excluded_decisions,
        sum(case when strata.is_covered then cells.n_decisions else 0 end) as n_covered_decisions,
        sum(case when cells.exclusion_reason is not null then cells.n_audits else 0 end)
            as n_excluded_audits,
        -- The unweighted rate needs no frame, so it has what only lacks one.
        {% for count in ['n_audits'] + error_counts() -%}
        sum(
            case
                when coalesce(cells.exclusion_reason, 'no_frame') = 'no_frame'
                    then cells.{{ count }}
                else 0
            end
        ) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from cells
    left join strata on cells.stratum_key = strata.stratum_key
    group by {% for key in keys %}cells.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
),

excluded as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        reasons.applies_to,
        concat(
            cells.exclusion_reason, '=',
            cast(sum(cells.n_decisions) + sum(cells.n_audits) as string)
        ) as reason_and_count
    from cells
    inner join reasons on cells.exclusion_reason = reasons.reason_code
    group by
        {% for key in keys %}cells.{{ key }}, {% endfor %}
        reasons.applies_to,
        cells.exclusion_reason
),

exclusions as (
    select
        {{ keys | join(', ') }},
        {{ joined_text("case when applies_to = 'decision' then reason_and_count end") }}
            as excluded_decisions_by_reason,
        {{ joined_text("case when applies_to = 'audit' then reason_and_count end") }}
            as excluded_audits_by_reason
    from excluded
    group by {{ keys | join(', ') }}
),

rates as (
    select
        metrics.metric_id,
        metrics.metric_version,
        {% for key in keys -%}
        population.{{ key }},
        {% endfor -%}
        {{ add_days('population.period_ends_on', var('accuracy_maturity_days')) }}
            as becomes_final_on,
        as_of.as_of,
        population.n_decisions,
        population.n_eligible_decisions,
        population.n_excluded_decisions,
        population.n_covered_decisions,
        coalesce(estimates.n_audits, 0) as n_audits,
        coalesce(estimates.n_successes, 0) as n_successes,
        population.n_excluded_audits,
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
        population.n_audits as unweighted_n,
        {{ registered_numerator('metrics.numerator', 'population') }}
            / cast(nullif(population.n_audits, 0) as double) as unweighted_rate,
        exclusions.excluded_decisions_by_reason,
        exclusions.excluded_audits_by_reason
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
    left join exclusions
        on {% for key in keys -%}
        population.{{ key }} = exclusions.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor %}
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
    cast(n_decisions as bigint) as n_decisions,
    cast(n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(n_excluded_decisions as bigint) as n_excluded_decisions,
    cast(n_covered_decisions as bigint) as n_covered_decisions,
    n_audits,
    n_successes,
    cast(n_excluded_audits as bigint) as n_excluded_audits,
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
    cast(unweighted_n as bigint) as unweighted_n,
    unweighted_rate,
    {{ wilson_bound('unweighted_rate', 'unweighted_n', 'low') }} as unweighted_ci_low,
    {{ wilson_bound('unweighted_rate', 'unweighted_n', 'high') }} as unweighted_ci_high,
    unweighted_rate - estimate as unweighted_difference,
    excluded_decisions_by_reason,
    excluded_audits_by_reason,
    as_of
from judged
