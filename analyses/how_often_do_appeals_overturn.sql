-- How often appeals overturn, by policy area and month of the answer. Those who appeal choose
-- themselves: this is no measure of accuracy.
select
    periods.period_label,
    coalesce(policies.policy_name, rates.dimension_value) as policy_area,
    rates.estimate as overturned,
    rates.ci_low,
    rates.ci_high,
    rates.n as n_decided_appeals,
    rates.n_pending,
    rates.maturity_status,
    coalesce(rates.reason_code, 'reportable') as reason
from {{ ref('appeal_rates') }} as rates
inner join {{ ref('dim_periods') }} as periods
    on
        rates.period_type = periods.period_type
        and rates.period_starts_on = periods.period_starts_on
left join {{ ref('dim_policies') }} as policies on rates.dimension_value = policies.policy_id
where
    rates.metric_id = 'appeal_overturn_rate_by_answer_date' and rates.period_type = 'month'
    and rates.dimension_name in ('overall', 'policy_parent')
order by rates.period_starts_on asc, rates.dimension_name asc, rates.estimate desc
