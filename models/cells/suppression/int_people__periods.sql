with calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    select * from {{ ref('dim_periods') }}
    where period_type in ('month', 'trailing')
)

select
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    calendar.calendar_date
from calendar
inner join periods
    on
        calendar.calendar_date >= periods.period_starts_on
        and calendar.calendar_date <= periods.period_ends_on
