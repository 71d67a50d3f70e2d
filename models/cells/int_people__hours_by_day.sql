with hours as (
    select * from {{ ref('stg_shift_hours') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

work as (
    select
        moderator_key,
        decided_on,
        sum(n_decisions) as n_decisions,
        {{ exact_sum('all_handling_seconds', bits=40) }} as all_handling_seconds
    from {{ ref('int_people__work_by_day') }}
    group by moderator_key, decided_on
)

select
    hours.person_key,
    hours.work_date,
    roster.site,
    roster.vendor,
    roster.team_id,
    hours.paid_seconds,
    hours.productive_seconds,
    hours.wellness_seconds,
    cast(coalesce(work.n_decisions, 0) as bigint) as n_decisions,
    coalesce(work.all_handling_seconds, 0e0) as all_handling_seconds
from hours
-- The days of which marts of people's work are made.
inner join calendar on hours.work_date = calendar.calendar_date
left join roster
    on
        hours.person_key = roster.person_key
        and {{ valid_at('roster', 'cast(hours.work_date as timestamp)') }}
left join work
    on hours.person_key = work.moderator_key and hours.work_date = work.decided_on
-- Auditors and trainers decide nothing; who is on no roster may.
where coalesce(roster.role, 'moderator') = 'moderator'
