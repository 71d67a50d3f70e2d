{% set group = [
    'metric_id', 'metric_version', 'period_type', 'dimension_name', 'dimension_value',
] -%}

with rates as (
    select * from {{ ref('int_report__rates') }}
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
        reasons.sentence as reason,
        {{ period_before('rates.period_type', 'rates.period_starts_on') }} as earlier_starts_on
    from rates
    inner join periods
        on
            rates.period_type = periods.period_type
            and rates.period_starts_on = periods.period_starts_on
    inner join metrics
        on
            rates.metric_id = metrics.metric_id
            and rates.metric_version = metrics.metric_version
    left join dimensions on rates.dimension_name = dimensions.dimension_name
    left join labels
        on
            rates.dimension_name = labels.dimension_name
            and rates.dimension_value = labels.dimension_value
    left join reasons on rates.reason_code = reasons.reason_code
    where periods.is_complete or rates.period_type <> 'four_weeks'
),

-- What is not reportable is compared with nothing.
compared as (
    select
        named.*,
        {% for column, name in {
            'estimate': '', 'ci_low': '_ci_low', 'ci_high': '_ci_high',
        }.items() -%}
        case when named.is_reportable then named.{{ column }} end as recent{{ name }},
        earlier.{{ column }} as earlier{{ name }},
        {% endfor -%}
        earlier.estimate as previous_estimate
    from named
    left join named as earlier
        on
            {{ same_keys('named', 'earlier', group) }}
            and named.earlier_starts_on = earlier.period_starts_on
            and earlier.is_reportable
),

changed as (
    select
        *,
        recent - earlier as change, -- noqa: RF04
        {{ difference_bound('recent', 'earlier', 'low') }} as change_ci_low,
        {{ difference_bound('recent', 'earlier', 'high') }} as change_ci_high,
        dense_rank() over (
            partition by dimension_name
            order by {{ is_a_rest('dimension_value') }}, value_label, dimension_value
        ) as sort_order
    from compared
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
    cast(sort_order as bigint) as sort_order,
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
    case
        when not is_reportable or target is null then null
        when ci_high < target then 'below'
        when ci_low > target then 'above'
        when ci_low is not null then 'undecided'
    end as target_status,
    previous_estimate,
    change,
    change_ci_low,
    change_ci_high,
    case
        when change_ci_low <= 0 and change_ci_high >= 0 then 'unclear'
        when higher_is_better is null and change_ci_low is not null then 'changed'
        when (change_ci_low > 0) = higher_is_better then 'better'
        when change_ci_low is not null then 'worse'
    end as change_status
from changed
