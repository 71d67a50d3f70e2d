-- A mart that was emptied fails none of the tests of its rows. Where nothing was audited, or no
-- roster says who decided, there is nothing to hold.
with audits as (
    select count(*) as n_behind
    from {{ ref('fct_audits') }}
    where is_counted and error_class <> 'technical'
),

cells as (
    select count(*) as n_behind
    from {{ ref('int_people__compared_cells') }}
),

policy_rates as (
    select count(*) as n_rows
    from {{ ref('policy_rates') }}
),

comparisons as (
    select count(*) as n_rows
    from {{ ref('accuracy_compared') }}
)

select
    'policy_rates' as mart,
    audits.n_behind
from audits
cross join policy_rates
where audits.n_behind > 0 and policy_rates.n_rows = 0
union all
select
    'accuracy_compared' as mart,
    cells.n_behind
from cells
cross join comparisons
where cells.n_behind > 0 and comparisons.n_rows = 0
