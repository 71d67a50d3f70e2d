-- How accurate are our decisions, month by month, and in which queues do we lose it? Queues are
-- shown for the last month whose audits are in.
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

last_final_month as (
    select max(period_starts_on) as period_starts_on
    from rates
    where accuracy_status = 'final' and is_reportable
)

select
    rates.period_starts_on as month_starts_on,
    rates.accuracy_status,
    rates.dimension_name,
    rates.dimension_value,
    rates.n_eligible_decisions,
    rates.n as n_audits,
    rates.estimate as accuracy,
    rates.ci_low,
    rates.ci_high,
    rates.confidence_level,
    rates.unweighted_rate,
    rates.unweighted_difference,
    rates.coverage_rate,
    rates.reason_code
from rates
left join last_final_month
    on rates.period_starts_on = last_final_month.period_starts_on
where
    rates.dimension_name = 'overall'
    or (rates.dimension_name = 'queue' and last_final_month.period_starts_on is not null)
order by
    rates.dimension_name,
    rates.period_starts_on,
    rates.estimate
