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
        cells.n_audits,
        {{ registered_numerator('metrics.numerator', 'cells') }} as n_successes
    from cells
    cross join metrics
)

select estimates.*
from (
    {{ stratified_rate(
        'by_metric', 'design',
        by=[
            'metric_id', 'metric_version', 'period_type', 'period_starts_on',
            'dimension_name', 'dimension_value',
        ]) }}
) as estimates
