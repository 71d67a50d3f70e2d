with rates as (
    select * from {{ ref('int_report__rates') }}
),

compared as (
    select * from {{ ref('int_report__compared') }}
),

periods as (
    select * from {{ ref('dim_periods') }}
),

metrics as (
    select * from {{ ref('metrics') }}
),

dimensions as (
    select * from {{ ref('dimensions') }}
),

labels as (
    select * from {{ ref('int_report__labels') }}
),

reasons as (
    select * from {{ ref('reasons') }}
    where applies_to = 'rate'
),

named as (
    select
        rates.*,
        compared.target_status,
        compared.n_periods_below_target,
        compared.n_periods_compared,
        compared.previous_estimate,
        compared.change,
        compared.change_ci_low,
        compared.change_ci_high,
        compared.change_status,
        periods.period_label,
        periods.is_complete,
        periods.is_last_complete_period,
        periods.periods_ago,
        periods.accuracy_status as status,
        metrics.metric_name,
        metrics.unit,
        metrics.format,
        metrics.higher_is_better,
        dimensions.dimension_label,
        coalesce(labels.value_label, {{ label_of_value('rates') }}) as value_label,
        labels.parent_value,
        reasons.sentence as reason
    from rates
    inner join compared
        on
            {{ same_keys('rates', 'compared', [
                'metric_id', 'metric_version', 'period_type', 'period_starts_on',
                'dimension_name', 'dimension_value',
            ]) }}
    inner join periods
        on {{ same_keys('rates', 'periods', ['period_type', 'period_starts_on']) }}
    inner join metrics on {{ same_keys('rates', 'metrics', ['metric_id', 'metric_version']) }}
    left join dimensions on rates.dimension_name = dimensions.dimension_name
    left join labels
        on {{ same_keys('rates', 'labels', ['dimension_name', 'dimension_value']) }}
    left join reasons on rates.reason_code = reasons.reason_code
)

select
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    period_ends_on,
    metric_name,
    unit,
    format,
    higher_is_better,
    period_label,
    dimension_label,
    value_label,
    parent_value,
    cast(
        dense_rank() over (
            partition by dimension_name
            order by {{ is_a_rest('dimension_value') }}, value_label, dimension_value
        ) as bigint
    ) as sort_order,
    is_complete,
    is_last_complete_period,
    periods_ago,
    status,
    is_reportable,
    reason_code,
    reason,
    is_wide_interval,
    estimate,
    ci_low,
    ci_high,
    confidence_level,
    n,
    effective_n,
    n_decisions,
    n_audits,
    coverage_rate,
    weighting,
    target,
    estimate - target as target_gap,
    target_status,
    n_periods_below_target,
    n_periods_compared,
    previous_estimate,
    change,
    change_ci_low,
    change_ci_high,
    change_status
from named
