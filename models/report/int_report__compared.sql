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

placed as (
    select
        rates.*,
        periods.is_complete,
        periods.periods_ago,
        metrics.higher_is_better,
        {{ period_before('rates.period_type', 'rates.period_starts_on') }} as earlier_starts_on,
        case
            when not rates.is_reportable or rates.target is null then null
            when rates.ci_high < rates.target then 'below'
            when rates.ci_low > rates.target then 'above'
            when rates.ci_low is not null then 'undecided'
        end as target_status
    from rates
    inner join periods
        on
            rates.period_type = periods.period_type
            and rates.period_starts_on = periods.period_starts_on
    inner join metrics
        on
            rates.metric_id = metrics.metric_id
            and rates.metric_version = metrics.metric_version
    where periods.is_complete or rates.period_type <> 'four_weeks'
),

-- What is not reportable is compared with nothing.
compared as (
    select
        placed.*,
        {% for column, name in {
            'estimate': '', 'ci_low': '_ci_low', 'ci_high': '_ci_high',
        }.items() -%}
        case when placed.is_reportable then placed.{{ column }} end as recent{{ name }},
        earlier.{{ column }} as earlier{{ name }},
        {% endfor -%}
        earlier.estimate as previous_estimate
    from placed
    left join placed as earlier
        on
            {{ same_keys('placed', 'earlier', group) }}
            and placed.earlier_starts_on = earlier.period_starts_on
            and earlier.is_reportable
),

changed as (
    select
        *,
        recent - earlier as change, -- noqa: RF04
        {{ difference_bound('recent', 'earlier', 'low') }} as change_ci_low,
        {{ difference_bound('recent', 'earlier', 'high') }} as change_ci_high,
        -- Periods of which there is no row are among the 26 all the same.
        sum(case when is_complete and target_status = 'below' then 1 else 0 end)
            over (
                partition by {{ group | join(', ') }}
                order by periods_ago desc
                range between 25 preceding and current row
            ) as n_periods_below_target,
        sum(case when is_complete and target_status is not null then 1 else 0 end)
            over (
                partition by {{ group | join(', ') }}
                order by periods_ago desc
                range between 25 preceding and current row
            ) as n_periods_compared
    from compared
)

select
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    target_status,
    case when target is not null then cast(n_periods_below_target as bigint) end
        as n_periods_below_target,
    case when target is not null then cast(n_periods_compared as bigint) end
        as n_periods_compared,
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
