-- What accuracy lacks is in one group of each way of grouping errors; and every judged decision is
-- in one pair of the confusion matrix.
{% set group_names = [
    'policy', 'policy_parent', 'queue', 'overall by reason', 'policy by reason',
    'policy_parent by reason', 'queue by reason',
] -%}

with accuracy as (
    select
        period_starts_on,
        1 - estimate as share_of_errors
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1
        and metric_version = 1
        and period_type = 'month'
        and dimension_name = 'overall'
        and n > 0
),

expected as (
    {% for name in group_names -%}
    select
        period_starts_on,
        '{{ name }}' as summed,
        share_of_errors as expected_share
    from accuracy
    union all
    {% endfor -%}
    select
        period_starts_on,
        'confusion' as summed,
        1 as expected_share
    from accuracy
),

groups as (
    select
        month_starts_on,
        estimate,
        case when reason = 'all' then group_name else concat(group_name, ' by reason') end as summed
    from {{ ref('error_pareto') }}
    union all
    select
        month_starts_on,
        estimate,
        'confusion' as summed
    from {{ ref('policy_confusion') }}
),

found as (
    select
        month_starts_on,
        summed,
        sum(estimate) as found_share
    from groups
    group by month_starts_on, summed
)

select
    expected.period_starts_on,
    expected.summed,
    expected.expected_share,
    found.found_share
from expected
left join found
    on
        expected.period_starts_on = found.month_starts_on
        and expected.summed = found.summed
where (abs(coalesce(found.found_share, 0) - expected.expected_share) <= 1e-9) is not true
