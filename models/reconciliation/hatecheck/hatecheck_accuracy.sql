with labels as (
    select * from {{ ref('hatecheck__labels') }}
),

rates as (
    select *
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy'
        and metric_version = 1
        and period_type = 'month'
        and dimension_name in ('overall', 'queue')
),

truth as (
    select
        'overall' as dimension_name,
        'all' as dimension_value,
        avg(cast(is_correct as integer)) as true_accuracy
    from labels
    union all
    select
        'queue' as dimension_name,
        functional_class as dimension_value,
        avg(cast(is_correct as integer)) as true_accuracy
    from labels
    group by functional_class
)

select
    truth.dimension_name,
    truth.dimension_value,
    rates.n_decisions,
    rates.n as n_audits,
    cast(truth.true_accuracy as double) as true_accuracy,
    rates.estimate as weighted_rate,
    rates.ci_low as weighted_ci_low,
    rates.ci_high as weighted_ci_high,
    truth.true_accuracy between rates.ci_low and rates.ci_high as is_covered_by_weighted,
    rates.unweighted_rate as pooled_rate,
    rates.unweighted_ci_low as pooled_ci_low,
    rates.unweighted_ci_high as pooled_ci_high,
    truth.true_accuracy between rates.unweighted_ci_low and rates.unweighted_ci_high
        as is_covered_by_pooled,
    rates.reason_code
from truth
left join rates
    on
        truth.dimension_name = rates.dimension_name
        and truth.dimension_value = rates.dimension_value
