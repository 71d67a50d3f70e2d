-- How accurate are our decisions, month by month, and in which queues do we lose it? Queues are
-- shown for the last month whose audits are in, or, where none is, for the last with audits.
with rates as (
    select
        accuracy_rates.*,
        periods.accuracy_status
    from {{ ref('accuracy_rates') }} as accuracy_rates
    inner join {{ ref('dim_periods') }} as periods
        on
            accuracy_rates.period_type = periods.period_type
            and accuracy_rates.period_starts_on = periods.period_starts_on
    where
        accuracy_rates.metric_id = 'accuracy'
        and accuracy_rates.metric_version = 1
        and accuracy_rates.period_type = 'month'
),

-- In the first month of one's own data none is final.
ranked_months as (
    select
        period_starts_on,
        row_number() over (
            order by
                case when accuracy_status = 'final' and is_reportable then 0 else 1 end,
                case when is_reportable then 0 else 1 end,
                period_starts_on desc
        ) as nth
    from rates
    where dimension_name = 'overall' and n > 0
),

month_of_queues as (
    select period_starts_on
    from ranked_months
    where nth = 1
)

-- `dbt show` prints the first six columns.
select
    rates.period_starts_on as month_starts_on,
    rates.dimension_value,
    rates.n as n_audits,
    rates.estimate as accuracy,
    rates.ci_low,
    rates.ci_high,
    rates.reason_code,
    rates.weighting,
    rates.accuracy_status,
    rates.dimension_name,
    rates.n_eligible_decisions,
    rates.confidence_level,
    rates.unweighted_rate,
    rates.unweighted_difference,
    rates.coverage_rate
from rates
left join month_of_queues
    on rates.period_starts_on = month_of_queues.period_starts_on
where
    rates.dimension_name = 'overall'
    or (
        rates.dimension_name = 'queue' and month_of_queues.period_starts_on is not null
        and coalesce(rates.n_eligible_decisions, 1) > 0
    )
order by
    rates.dimension_name,
    rates.period_starts_on,
    rates.estimate
