{% set measures = [
    'n_decided', 'n_true', 'n_confirmed', 'n_not_confirmed', 'n_missed', 'n_not_true',
] -%}

with cells as (
    select * from {{ ref('policy_cells') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'policy_rates'
),

policies as (
    select * from {{ ref('dim_policies') }}
),

all_cells as (
    select * from {{ ref('accuracy_cells') }}
    where dimension_name = 'overall' and exclusion_reason is null
),

population as (
    select * from {{ ref('accuracy_population') }}
    where dimension_name = 'overall'
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

typical as (
    {{ typical_weights('all_cells', 'design', by=['period_type', 'period_starts_on']) }}
),

by_metric as (
    select
        metrics.metric_id,
        metrics.metric_version,
        cells.period_type,
        cells.period_starts_on,
        cells.policy_id,
        cells.policy_version,
        cells.stratum_key,
        cells.n_audits as n_group_audits,
        {% for term, name in {'numerator': 'n_successes', 'denominator': 'n_audits'}.items() -%}
        case metrics.{{ term }}
            {% for measure in measures -%}
            when '{{ measure }}' then cells.{{ measure }}
            {% endfor -%}
        end as {{ name }},
        {% endfor -%}
        case when metrics.denominator <> 'n_decided' then typical.typical_weight end
            as typical_weight
    from cells
    cross join metrics
    left join typical
        on
            cells.period_type = typical.period_type
            and cells.period_starts_on = typical.period_starts_on
),

estimates as (
    {{ stratified_rate(
        'by_metric', 'design',
        by=[
            'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'policy_id',
            'policy_version',
        ],
        typical_weight='typical_weight') }}
),

unweighted as (
    select
        metric_id,
        metric_version,
        period_type,
        period_starts_on,
        policy_id,
        policy_version,
        sum(n_group_audits) as n_group_audits,
        sum(n_audits) as n_audits,
        sum(n_successes) as n_successes
    from by_metric
    group by
        metric_id, metric_version, period_type, period_starts_on, policy_id, policy_version
),

rates as (
    select
        unweighted.metric_id,
        unweighted.metric_version,
        unweighted.period_type,
        unweighted.period_starts_on,
        unweighted.policy_id,
        unweighted.policy_version,
        population.period_ends_on,
        population.n_eligible_decisions,
        population.n_covered_decisions,
        metrics.denominator <> 'n_decided'
        and {{ has_unaudited_kind('population') }} as has_unaudited_kind,
        false as is_told_by_dimension,
        unweighted.n_group_audits,
        unweighted.n_audits as unweighted_n,
        unweighted.n_successes / cast(nullif(unweighted.n_audits, 0) as double)
            as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n_audits,
        coalesce(estimates.n_successes, 0) as n_successes,
        estimates.n_collapsed_strata,
        estimates.weighted_numerator,
        estimates.weighted_denominator,
        estimates.estimate,
        estimates.standard_error,
        estimates.design_effect,
        estimates.effective_n,
        estimates.ci_low,
        estimates.ci_high
    from unweighted
    inner join metrics
        on
            unweighted.metric_id = metrics.metric_id
            and unweighted.metric_version = metrics.metric_version
    inner join population
        on
            unweighted.period_type = population.period_type
            and unweighted.period_starts_on = population.period_starts_on
    left join estimates
        on
            unweighted.metric_id = estimates.metric_id
            and unweighted.metric_version = estimates.metric_version
            and unweighted.period_type = estimates.period_type
            and unweighted.period_starts_on = estimates.period_starts_on
            and unweighted.policy_id = estimates.policy_id
            and unweighted.policy_version = estimates.policy_version
),

judged as (
    select
        *,
        {{ withheld_reason() }} as reason_code
    from rates
)

select
    judged.metric_id,
    judged.metric_version,
    judged.period_type,
    judged.period_starts_on,
    judged.policy_id,
    judged.policy_version,
    judged.period_ends_on,
    case
        when judged.policy_id in ('no_violation', 'no_policy') then judged.policy_id
        when policies.is_leaf then 'leaf'
        when not policies.is_leaf then 'parent'
        else 'unknown'
    end as policy_level,
    {{ period_status('judged.period_ends_on', 'as_of.as_of') }} as period_status,
    case
        when judged.n_audits > 0 then 'weighted'
        when judged.unweighted_n > 0 and not judged.has_unaudited_kind then 'unweighted'
        else 'none'
    end as weighting,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    coalesce(judged.n_collapsed_strata > 0, false) as has_collapsed_strata,
    judged.n_audits,
    judged.n_successes,
    judged.n_eligible_decisions,
    judged.n_covered_decisions,
    judged.n_covered_decisions / cast(nullif(judged.n_eligible_decisions, 0) as double)
        as coverage_rate,
    {% for name in [
        'estimate', 'standard_error', 'ci_low', 'ci_high', 'effective_n', 'design_effect',
        'weighted_numerator',
    ] -%}
    case when not judged.has_unaudited_kind then judged.{{ name }} end as {{ name }},
    {% endfor -%}
    cast({{ var('confidence_level') }} as double) as confidence_level,
    judged.weighted_denominator,
    cast(judged.unweighted_n as bigint) as unweighted_n,
    case when not judged.has_unaudited_kind then judged.unweighted_rate end as unweighted_rate,
    as_of.as_of
from judged
cross join as_of
left join policies on judged.policy_id = policies.policy_id
