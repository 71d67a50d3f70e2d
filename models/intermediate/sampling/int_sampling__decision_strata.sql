with frame as (
    select * from {{ ref('stg_sampling_frame') }}
),

decisions as (
    select * from {{ ref('stg_decisions') }}
),

eligibility as (
    select * from {{ ref('int_eligibility__decisions') }}
),

context as (
    select * from {{ ref('int_context__decisions') }}
),

days as (
    {{ date_series(
        '(select min(cast(period_start as date)) from ' ~ ref('stg_sampling_frame') ~ ')',
        '(select max(cast(period_end as date)) from ' ~ ref('stg_sampling_frame') ~ ')'
    ) }}
),

queues as (
    select distinct queue_id from context
),

-- A frame row in which a part of the definition is null covers all of it. Written out as one row
-- a UTC day, queue, decider and action group, strata can be joined by equality.
frame_cells as (
    select
        frame.stratum_key,
        frame.period_start,
        frame.period_end,
        days.calendar_date,
        queues.queue_id,
        deciders.decided_by_type,
        action_groups.action_group
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
)

select
    decisions.decision_id,
    frame_cells.stratum_key
from decisions
inner join eligibility
    on
        decisions.decision_id = eligibility.decision_id
        and eligibility.exclusion_reason is null
inner join context on decisions.decision_id = context.decision_id
inner join frame_cells
    on
        cast(decisions.decided_at as date) = frame_cells.calendar_date
        and decisions.decided_at >= frame_cells.period_start
        and decisions.decided_at < frame_cells.period_end
        and coalesce(context.queue_id, '') = coalesce(frame_cells.queue_id, '')
        and decisions.decided_by_type = frame_cells.decided_by_type
        and eligibility.action_group = frame_cells.action_group
