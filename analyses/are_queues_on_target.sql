-- Are our queues on target, and where not? Four weeks at a time over the last twelve weeks,
-- each against the target of its own days. below and above are sure; undecided is where the
-- interval holds the target.
select
    value_label as queue,
    period_label,
    estimate as accuracy,
    ci_low,
    ci_high,
    target,
    coalesce(target_status, reason) as against_target,
    change_status,
    status
from {{ ref('headline') }}
where
    metric_id = 'accuracy' and dimension_name = 'queue' and period_type = 'four_weeks'
    and periods_ago in (1, 5, 9)
order by sort_order, period_starts_on
