with frame as (
    select * from {{ ref('int_sampling__frame') }}
),

jobs as (
    select * from {{ ref('base_review_jobs') }}
),

days as (
    {{ date_series(
        '(select min(cast(period_start as date)) from ' ~ ref('int_sampling__frame') ~ ')',
        '(select max(cast(period_end as date)) from ' ~ ref('int_sampling__frame') ~ ')'
    ) }}
),

-- A decision whose job is not known has no queue; strata of all queues hold it too.
queues as (
    select distinct queue_id from jobs
    union
    select null as queue_id
)

-- A part of a stratum's definition that is null covers all of it. Written out as one row a UTC day,
-- queue, decider and action group, strata can be joined by equality.
select
    frame.stratum_key,
    days.calendar_date,
    queues.queue_id,
    deciders.decided_by_type,
    action_groups.action_group,
    frame.period_start,
    frame.period_end
from frame
inner join days
    on
        days.calendar_date >= cast(frame.period_start as date)
        and days.calendar_date <= cast(frame.period_end as date)
inner join queues
    on frame.queue_id is null or frame.queue_id = queues.queue_id
inner join (values ('human'), ('automation')) as deciders (decided_by_type)
    on frame.decided_by_type is null or frame.decided_by_type = deciders.decided_by_type
inner join (values ('enforced'), ('not_enforced')) as action_groups (action_group)
    on frame.action_group is null or frame.action_group = action_groups.action_group
