{% set groups = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}

with cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where
        exclusion_reason is null
        and {{ in_days_to_build('published', 'period_starts_on') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'accuracy_rates'
),

typical as (
    {{ typical_weights('cells', 'design', by=groups) }}
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
        {{ metric_moments('metrics', 'cells') }},
        case
            when metrics.denominator in ('n_violating', 'n_not_violating') then
                typical.typical_weight
        end as typical_weight
    from cells
    cross join metrics
    left join typical
        on
            cells.period_type = typical.period_type
            and cells.period_starts_on = typical.period_starts_on
            and cells.dimension_name = typical.dimension_name
            and cells.dimension_value = typical.dimension_value
    where cells.n_audits > 0
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
        by=['metric_id', 'metric_version'] + groups,
        moments={
            'n': 'n', 'kept': 'kept', 'lost': 'lost',
            'kept_kept': 'kept_kept', 'kept_lost': 'kept_lost', 'lost_lost': 'lost_lost',
        },
        typical_weight='typical_weight') }}
) as estimates
inner join metrics
    on
        estimates.metric_id = metrics.metric_id
        and estimates.metric_version = metrics.metric_version
