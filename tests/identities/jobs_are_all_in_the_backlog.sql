-- Every job comes in once and goes out once at most; the backlog of a day is that of the day before
-- and what the day added; queues sum to all; what is left at the end is what is open.
with backlog as (
    select * from {{ ref('backlog') }}
),

jobs as (
    select * from {{ ref('fct_jobs') }}
),

in_order as (
    select
        *,
        coalesce(lag(backlog_restated) over (
            partition by dimension_name, dimension_value order by calendar_date
        ), 0) as backlog_before,
        lag(calendar_date) over (
            partition by dimension_name, dimension_value order by calendar_date
        ) as day_before
    from backlog
),

by_queue as (
    select
        calendar_date,
        sum(n_in) as n_in,
        sum(n_out) as n_out,
        sum(backlog_restated) as backlog_restated,
        sum(backlog_as_known) as backlog_as_known
    from backlog
    where dimension_name = 'queue'
    group by calendar_date
),

totals as (
    select
        sum(n_in) as n_in,
        sum(n_left_out) as n_left_out,
        sum(net_flow) as n_left
    from backlog
    where dimension_name = 'overall'
),

counted as (
    select
        sum(case when left_out_reason is null then 1 else 0 end) as n_in,
        sum(case when left_out_reason is null then 0 else 1 end) as n_left_out,
        sum(case when is_open then 1 else 0 end) as n_open
    from jobs
)

select
    concat(dimension_name, ' ', dimension_value) as what,
    calendar_date
from in_order
where
    backlog_restated is distinct from backlog_before + n_in - n_out
    or coalesce({{ days_between('day_before', 'calendar_date') }}, 1) <> 1
union all
select
    'queues do not sum to all' as what,
    backlog.calendar_date
from backlog
left join by_queue on backlog.calendar_date = by_queue.calendar_date
where
    backlog.dimension_name = 'overall'
    and (
        backlog.n_in is distinct from by_queue.n_in
        or backlog.n_out is distinct from by_queue.n_out
        or backlog.backlog_restated is distinct from by_queue.backlog_restated
        or backlog.backlog_as_known is distinct from by_queue.backlog_as_known
    )
union all
select
    'jobs are missing or counted twice' as what,
    cast(null as date) as calendar_date
from totals
cross join counted
where
    totals.n_in is distinct from counted.n_in
    or totals.n_left_out is distinct from counted.n_left_out
    or totals.n_left is distinct from counted.n_open
