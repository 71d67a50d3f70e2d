-- The accuracy and the rate of error of automated means, and of people beside them, by month
-- (Digital Services Act, article 15(1)(e)). Months that are provisional still change.
select
    period_label,
    status,
    value_label as decided_by,
    metric_name,
    estimate,
    ci_low,
    ci_high,
    n_decisions,
    coalesce(reason, 'reportable') as reason
from {{ ref('headline') }}
where
    dimension_name = 'decided_by' and period_type = 'month' and is_complete and n_decisions > 0
    and metric_version = 1
    and metric_id in ('accuracy', 'false_discovery_rate', 'false_negative_rate')
order by period_starts_on, sort_order, metric_name
