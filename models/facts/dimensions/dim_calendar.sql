with bounds as (
    select
        min(decided_on) as first_day,
        max(decided_on) as last_day
    from {{ ref('fct_decisions') }}
),

days as (
    {{ date_series('(select first_day from bounds)', '(select last_day from bounds)') }}
),

weeks as (
    select
        calendar_date,
        {{ week_start('calendar_date') }} as week_starts_on,
        cast(date_trunc('month', calendar_date) as date) as month_starts_on
    from days
)

select
    calendar_date,
    week_starts_on,
    {{ add_days('week_starts_on', 6) }} as week_ends_on,
    month_starts_on,
    {{ add_days('cast(' ~ dbt.dateadd('month', 1, 'month_starts_on') ~ ' as date)', -1) }}
        as month_ends_on,
    {{ iso_weekday('calendar_date') }} as iso_weekday
from weeks
