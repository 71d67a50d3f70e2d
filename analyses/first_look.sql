-- How accurate are our decisions, month by month, and in which queues do we lose it? Queues are
-- shown for the last month whose audits are in.
with rates as (
    select *
    from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy' and metric_version = 1 and period_type = 'month'
),

last_final_month as (
    select max(period_starts_on) as period_starts_on
    from rates
    where period_status = 'final' and is_reportable
)

select
    rates.period_starts_on as month_starts_on,
    rates.period_status,
    rates.dimension_name,
    rates.dimension_value,
    rates.n_eligible_decisions,
    rates.n_audits,
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
