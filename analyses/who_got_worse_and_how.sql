-- Which vendor got worse, and in what kind of error? The last four weeks against the four
-- before. unclear is what chance could explain: nobody got worse there.
select
    value_label as vendor,
    metric_name,
    estimate,
    change,
    change_ci_low,
    change_ci_high,
    coalesce(change_status, reason, 'no four weeks before') as what_changed
from {{ ref('headline') }}
where
    dimension_name = 'vendor' and period_type = 'four_weeks' and is_last_complete_period
    and metric_id in (
        'accuracy', 'false_positive_share', 'false_negative_share', 'wrong_selection_rate'
    )
order by sort_order, metric_name
