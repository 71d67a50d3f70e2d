with rates as (
    select * from {{ ref('accuracy_rates') }}
    where
        metric_version = 1
        and metric_id in (
            'accuracy', 'false_positive_share', 'false_negative_share', 'wrong_selection_rate',
            'technical_error_rate'
        )
)

select
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    max(n) as n_audits,
    sum(n_successes) as n_in_classes,
    sum(estimate) as sum_of_shares
from rates
group by period_type, period_starts_on, dimension_name, dimension_value
having
    -- Withheld of all classes, or of none.
    count(distinct coalesce(reason_code like 'suppressed%', false)) > 1
    or sum(n_successes) is distinct from max(n)
    or count(*) <> {{ error_classes() | length }}
    or (max(n) > 0 and (abs(sum(estimate) - 1) <= 1e-9) is not true)
    or (max(n) > 0 and (abs(sum(unweighted_rate) - 1) <= 1e-9) is not true)
