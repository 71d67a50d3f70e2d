-- Which policy loses us most accuracy? Errors of the last month whose audits are in, charged to the
-- policy applied or, where a violation was missed, to the policy missed; with what kind of error it
-- mostly is. Where intervals overlap, the order is not a ranking. (Precision and recall of each
-- policy are in policy_rates.)
with pareto as (
    select * from {{ ref('error_pareto') }}
    where group_name = 'policy' and reason = 'all'
),

last_final_month as (
    select max(pareto.month_starts_on) as month_starts_on
    from pareto
    inner join {{ ref('dim_periods') }} as periods
        on pareto.month_starts_on = periods.period_starts_on
    where periods.period_type = 'month' and periods.accuracy_status = 'final'
)

select
    pareto.month_starts_on,
    pareto.error_rank,
    pareto.group_value as policy_id,
    pareto.n_errors,
    pareto.estimated_errors,
    pareto.estimated_errors_low,
    pareto.estimated_errors_high,
    pareto.estimate as accuracy_lost,
    pareto.ci_low,
    pareto.ci_high,
    pareto.cumulative_share_of_errors,
    pareto.main_reason,
    pareto.coverage_rate,
    pareto.reason_code
from pareto
inner join last_final_month on pareto.month_starts_on = last_final_month.month_starts_on
order by pareto.error_rank
