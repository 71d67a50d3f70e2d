-- Top ten reasons of errors in the last month whose audits are in. Where intervals overlap, the
-- order is no ranking.
select
    pareto.reason,
    pareto.n_errors,
    pareto.estimate as accuracy_lost,
    pareto.ci_low,
    pareto.ci_high,
    pareto.cumulative_share_of_errors
from {{ ref('error_pareto') }} as pareto
where
    pareto.group_name = 'overall' and pareto.reason <> 'all' and pareto.error_rank <= 10
    and pareto.month_starts_on = (
        select max(periods.period_starts_on) from {{ ref('dim_periods') }} as periods
        where periods.period_type = 'month' and periods.accuracy_status = 'final'
    )
order by pareto.error_rank
