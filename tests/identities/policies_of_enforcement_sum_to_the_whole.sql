-- Shown or not, the items of all policies are those of the period, and so are all removals.
with sums as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        sum(n_acts) as n_acts,
        sum(n_items) as n_items
    from {{ ref('enforcement_rates') }}
    where
        metric_id = 'automated_removals'
        and (dimension_name <> 'action' or dimension_value = 'remove')
    group by period_type, period_starts_on, dimension_name
)

select
    period_type,
    period_starts_on,
    min(n_acts) as fewest_acts,
    max(n_acts) as most_acts,
    min(n_items) as fewest_items,
    max(n_items) as most_items
from sums
group by period_type, period_starts_on
having
    count(*) <> 3
    or min(n_acts) is distinct from max(n_acts)
    or min(n_items) is distinct from max(n_items)
