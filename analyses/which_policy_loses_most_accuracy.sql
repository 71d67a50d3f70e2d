-- Which policy loses us most accuracy? Errors of the last month whose audits are in, charged to the
-- policy applied or, where a violation was missed, to the policy missed; with what kind of error it
-- mostly is, and with precision and recall. Where intervals overlap, the order is not a ranking.
with pareto as (
    select * from {{ ref('error_pareto') }}
),

rates as (
    select * from {{ ref('policy_rates') }}
    where period_type = 'month' and policy_version = 'all' and is_reportable
),

last_final_month as (
    select max(period_starts_on) as month_starts_on
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy'
        and period_type = 'month'
        and dimension_name = 'overall'
        and period_status = 'final'
        and is_reportable
),

main_reason as (
    select
        month_starts_on,
        group_value,
        row_number() over (
            partition by month_starts_on, split_part(group_value, ' | ', 1)
            order by estimated_errors desc
        ) as reason_rank
    from pareto
    where group_name = 'policy_and_reason'
)

select
    pareto.error_rank,
    pareto.group_value as policy_id,
    pareto.n_errors,
    pareto.estimated_errors,
    pareto.estimated_errors_low,
    pareto.estimated_errors_high,
    pareto.share_of_decisions as accuracy_lost,
    pareto.cumulative_share_of_errors,
    split_part(main_reason.group_value, ' | ', 2) as mostly,
    max(case when rates.metric_id = 'precision' then rates.estimate end) as policy_precision,
    max(case when rates.metric_id = 'recall' then rates.estimate end) as policy_recall
from pareto
inner join last_final_month on pareto.month_starts_on = last_final_month.month_starts_on
left join main_reason
    on
        pareto.month_starts_on = main_reason.month_starts_on
        and pareto.group_value = split_part(main_reason.group_value, ' | ', 1)
        and main_reason.reason_rank = 1
left join rates
    on
        pareto.month_starts_on = rates.period_starts_on
        and pareto.group_value = rates.policy_id
where pareto.group_name = 'policy'
group by
    pareto.error_rank,
    pareto.group_value,
    pareto.n_errors,
    pareto.estimated_errors,
    pareto.estimated_errors_low,
    pareto.estimated_errors_high,
    pareto.share_of_decisions,
    pareto.cumulative_share_of_errors,
    main_reason.group_value
order by pareto.error_rank
