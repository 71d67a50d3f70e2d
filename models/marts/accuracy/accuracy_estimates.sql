with cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where
        exclusion_reason is null
        and n_audits > 0
        and {{ in_days_to_build('published', 'period_starts_on') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'accuracy_rates'
),

by_metric as (
    select
        metrics.metric_id,
        metrics.metric_version,
        cells.period_type,
        cells.period_starts_on,
        cells.dimension_name,
        cells.dimension_value,
        cells.stratum_key,
        {{ metric_moments('metrics', 'cells') }}
    from cells
    cross join metrics
)

select
    estimates.metric_id,
    estimates.metric_version,
    estimates.period_type,
    estimates.period_starts_on,
    estimates.dimension_name,
    estimates.dimension_value,
    estimates.n_audits,
    case when metrics.unit = 'share' then estimates.n_successes end as n_successes,
    estimates.n_strata,
    estimates.n_collapsed_strata,
    estimates.weighted_numerator,
    estimates.weighted_denominator,
    estimates.estimate,
    estimates.standard_error,
    estimates.design_effect,
    estimates.effective_n,
    estimates.ci_low,
    estimates.ci_high
from (
    {{ stratified_ratio(
        'by_metric', 'design',
        by=[
            'metric_id', 'metric_version', 'period_type', 'period_starts_on',
            'dimension_name', 'dimension_value',
        ],
        moments={
            'n': 'n', 'kept': 'kept', 'lost': 'lost',
            'kept_kept': 'kept_kept', 'kept_lost': 'kept_lost', 'lost_lost': 'lost_lost',
        }) }}
) as estimates
inner join metrics
    on
        estimates.metric_id = metrics.metric_id
        and estimates.metric_version = metrics.metric_version
