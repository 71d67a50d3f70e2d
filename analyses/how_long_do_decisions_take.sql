-- How long jobs of each queue wait, by month, with those still open, beside what closed jobs alone
-- would say, the share within target, and the accuracy of the same work.
with turnaround as (
    select * from {{ ref('turnaround') }}
    where
        metric_version = 1 and period_type = 'month' and dimension_name in ('overall', 'queue')
),

within_target as (
    select * from turnaround
    where metric_id = 'within_target'
)

select
    periods.period_label,
    coalesce(queues.queue_name, turnaround.dimension_value) as queue,
    turnaround.estimate as median_hours,
    turnaround.ci_low,
    turnaround.ci_high,
    turnaround.closed_only_estimate as median_hours_of_closed_jobs,
    turnaround.n as n_jobs,
    turnaround.n_open,
    within_target.estimate as within_target,
    turnaround.accuracy_estimate as accuracy,
    turnaround.accuracy_ci_low,
    turnaround.accuracy_ci_high,
    coalesce(turnaround.reason_code, 'reportable') as reason
from turnaround
inner join {{ ref('dim_periods') }} as periods
    on
        turnaround.period_type = periods.period_type
        and turnaround.period_starts_on = periods.period_starts_on
left join within_target
    on
        turnaround.period_starts_on = within_target.period_starts_on
        and turnaround.dimension_name = within_target.dimension_name
        and turnaround.dimension_value = within_target.dimension_value
left join {{ ref('dim_queues') }} as queues on turnaround.dimension_value = queues.queue_id
where turnaround.metric_id = 'turnaround_median'
order by turnaround.period_starts_on, turnaround.dimension_name, within_target.estimate
