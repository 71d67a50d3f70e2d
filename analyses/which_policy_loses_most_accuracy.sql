-- Which policy loses us most accuracy? Errors of the last month whose audits are in, charged to the
-- policy applied or, where a violation was missed, to the policy missed; with what kind of error it
-- mostly is. Where intervals overlap, the order is not a ranking. (Precision and recall of each
-- policy are in policy_rates.)
with pareto as (
    select * from {{ ref('error_pareto') }}
    where group_name = 'policy' and reason = 'all' and period_status = 'final'
)

select
    month_starts_on,
    error_rank,
    group_value as policy_id,
    n_errors,
    estimated_errors,
    estimated_errors_low,
    estimated_errors_high,
    share_of_decisions as accuracy_lost,
    ci_low,
    ci_high,
    cumulative_share_of_errors,
    main_reason,
    coverage_rate,
    reason_code
from pareto
where month_starts_on = (select max(month_starts_on) from pareto)
order by error_rank
