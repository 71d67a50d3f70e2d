-- Each job is in one group of each dimension, so that the groups sum to all, and the months to
-- fct_jobs.
with turnaround as (
    select * from {{ ref('turnaround') }}
),

summed as (
    select
        metric_id,
        period_type,
        period_starts_on,
        dimension_name,
        sum(n) as n,
        sum(n_open) as n_open,
        sum(n_ended) as n_ended,
        sum(n_breached) as n_breached
    from turnaround
    group by metric_id, period_type, period_starts_on, dimension_name
),

jobs as (
    select
        sum(case when left_out_reason is null then 1 else 0 end) as n,
        sum(case when is_open then 1 else 0 end) as n_open
    from {{ ref('fct_jobs') }}
),

months as (
    select
        sum(n) as n,
        sum(n_open) as n_open
    from turnaround
    where
        metric_id = 'turnaround_median'
        and period_type = 'month'
        and dimension_name = 'overall'
)

select
    summed.metric_id,
    summed.dimension_name,
    summed.period_starts_on
from summed
inner join summed as overall
    on
        summed.metric_id = overall.metric_id
        and summed.period_type = overall.period_type
        and summed.period_starts_on = overall.period_starts_on
        and overall.dimension_name = 'overall'
where
    summed.n is distinct from overall.n
    or summed.n_open is distinct from overall.n_open
    or summed.n_ended is distinct from overall.n_ended
    or summed.n_breached is distinct from overall.n_breached
union all
select
    'turnaround_median' as metric_id,
    'overall' as dimension_name,
    cast(null as date) as period_starts_on
from months
cross join jobs
where months.n is distinct from jobs.n or months.n_open is distinct from jobs.n_open
