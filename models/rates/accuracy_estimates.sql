{% set groups = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}

with cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where
        exclusion_reason is null
        and n_audits > 0
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

-- Numbers in place of names: a rate has one row a stratum, which is joined and summed many times.
metrics as (
    select
        *,
        row_number() over (order by metric_id, metric_version) as metric_number
    from {{ ref('metrics') }}
    where mart = 'accuracy_rates'
),

named as (
    select
        {% for key in groups -%}
        {{ key }},
        {% endfor -%}
        row_number() over (order by {{ groups | join(', ') }}) as group_number
    from {{ ref('accuracy_population') }}
    where has_rates
),

by_metric as (
    select
        named.group_number,
        metrics.metric_number,
        cells.stratum_key,
        {{ metric_moments('metrics', 'cells') }}
    from cells
    inner join named on {{ same_keys('cells', 'named', groups) }}
    cross join metrics
),

estimates as (
    {{ stratified_ratio('by_metric', 'design', by=['group_number', 'metric_number']) }}
)

select
    metrics.metric_id,
    metrics.metric_version,
    named.period_type,
    named.period_starts_on,
    named.dimension_name,
    named.dimension_value,
    estimates.n_audits,
    case when metrics.unit = 'share' then estimates.n_successes end as n_successes,
    estimates.n_base_audits,
    estimates.n_strata,
    estimates.n_collapsed_strata,
    estimates.weighted_numerator,
    estimates.weighted_denominator,
    estimates.estimate,
    estimates.standard_error,
    estimates.standard_error_reason,
    estimates.design_effect,
    estimates.effective_n,
    estimates.share_in_sight,
    estimates.ci_low,
    estimates.ci_high
from estimates
inner join metrics on estimates.metric_number = metrics.metric_number
inner join named on estimates.group_number = named.group_number
