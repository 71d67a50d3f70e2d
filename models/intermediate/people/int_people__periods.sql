with calendar as (
    select * from {{ ref('dim_calendar') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as last_day
    from {{ ref('int_context__as_of') }}
),

recent as (
    select
        {{ add_days('last_day', 1 - var('people_window_days')) }} as period_starts_on,
        last_day as period_ends_on
    from as_of
)

select
    'trailing' as period_type,
    recent.period_starts_on,
    recent.period_ends_on,
    calendar.calendar_date
from calendar
inner join recent
    on
        calendar.calendar_date >= recent.period_starts_on
        and calendar.calendar_date <= recent.period_ends_on
union all
select
    'month' as period_type,
    month_starts_on as period_starts_on,
    month_ends_on as period_ends_on,
    calendar_date
from calendar
