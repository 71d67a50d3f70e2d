-- Are our queues on target, and where not? Four weeks at a time over the last twelve weeks,
-- each against the target of its own days. below and above are sure; undecided is where the
-- interval holds the target. weeks_below: so often was it surely below, of the weeks up to then.
select
    value_label as queue,
    period_label,
    estimate as accuracy,
    ci_low,
    ci_high,
    target,
    coalesce(target_status, reason) as against_target,
    change_status,
    concat(n_periods_below_target, ' of ', n_periods_compared) as weeks_below
from {{ ref('headline') }}
where
    metric_id = 'accuracy' and metric_version = 1
    and dimension_name = 'queue' and period_type = 'four_weeks'
    and periods_ago in (1, 5, 9) and coalesce(n_decisions, 1) > 0
order by sort_order, period_starts_on
