{% set group = suppressed_group_keys() -%}
with people as {{ read_anew() }} (
    select * from {{ ref('int_people__at_work_marked') }}
),

few as (
    select * from {{ ref('int_people__suppressed_first') }}
    where is_of_few
),

withheld_next as (
    select * from {{ ref('int_people__suppressed_teams') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- Sites and vendors may cross: sites less the vendors that most of their people are of leave what
-- joins them to others. Where few people do, no vendor is shown.
cells as (
    {{ cells_of_sites_and_vendors('people', 'withheld_next') }}
),

joined_by_few as (
    {{ parts_joined_by_few('cells') }}
),

withheld as (
    select * from withheld_next
    union distinct
    select * from {{ ref('int_people__suppressed_apart') }}
    union distinct
    select distinct
        people.basis,
        people.period_type,
        people.scope_starts_on,
        'vendor' as dimension_name,
        people.vendor as dimension_value
    from people
    inner join joined_by_few on {{ same_keys('people', 'joined_by_few', group[:3]) }}
    where people.vendor is not null
),

scopes_of_weeks as (
    {{ scopes_of_weeks('calendar', 'as_of') }}
),

-- What is withheld in a month is withheld in its weeks and days, in weeks in their days; a week of
-- two months, with either.
listed_periods as (
    select distinct
        withheld_in.period_type as withheld_in,
        calendar.month_starts_on as scope_starts_on,
        'day' as period_type,
        calendar.calendar_date as period_starts_on
    from calendar
    cross join (values ('month'), ('day')) as withheld_in (period_type)
    union distinct
    select
        'month' as withheld_in,
        month_starts_on as scope_starts_on,
        'month' as period_type,
        month_starts_on as period_starts_on
    from calendar
    union distinct
    select
        'month' as withheld_in,
        month_starts_on as scope_starts_on,
        'week' as period_type,
        week_starts_on as period_starts_on
    from calendar
    union distinct
    select
        'week' as withheld_in,
        scopes_of_weeks.scope_starts_on,
        'day' as period_type,
        calendar.calendar_date as period_starts_on
    from scopes_of_weeks
    inner join calendar on scopes_of_weeks.week_starts_on = calendar.week_starts_on
    union distinct
    select
        'week' as withheld_in,
        scope_starts_on,
        'week' as period_type,
        week_starts_on as period_starts_on
    from scopes_of_weeks
    union distinct
    select
        'week' as withheld_in,
        scopes_of_weeks.scope_starts_on,
        'month' as period_type,
        calendar.month_starts_on as period_starts_on
    from scopes_of_weeks
    inner join calendar on scopes_of_weeks.week_starts_on = calendar.week_starts_on
    cross join as_of
    where scopes_of_weeks.is_open and {{ month_is_open('calendar') }} = 1
    union distinct
    select
        'trailing' as withheld_in,
        scope_starts_on,
        'trailing' as period_type,
        scope_starts_on as period_starts_on
    from people
    where period_type = 'trailing'
),

-- Of audits, golden items and ratings: what is withheld in a quarter is withheld in its months and
-- weeks, what is withheld in a part of a week, in the week.
months_of_quarters as (
    select distinct
        scope_starts_on,
        cast(part as date) as month_starts_on
    from {{ ref('int_people__at_work') }}
    where period_type = 'quarter'
),

weeks_of_months as (
    select distinct
        scope_starts_on as month_starts_on,
        cast(part as date) as week_starts_on
    from {{ ref('int_people__at_work') }}
    where period_type = 'part_of_month'
),

listed_periods_of_shares as (
    select distinct
        'quarter' as withheld_in,
        scope_starts_on,
        'quarter' as period_type,
        cast(date_trunc('quarter', scope_starts_on) as date) as period_starts_on
    from months_of_quarters
    union all
    select
        'quarter' as withheld_in,
        scope_starts_on,
        'month' as period_type,
        month_starts_on as period_starts_on
    from months_of_quarters
    union distinct
    select
        'quarter' as withheld_in,
        months_of_quarters.scope_starts_on,
        'week' as period_type,
        weeks_of_months.week_starts_on as period_starts_on
    from months_of_quarters
    inner join weeks_of_months
        on months_of_quarters.month_starts_on = weeks_of_months.month_starts_on
    union all
    select
        'part_of_month' as withheld_in,
        month_starts_on as scope_starts_on,
        'week' as period_type,
        week_starts_on as period_starts_on
    from weeks_of_months
),

-- Four weeks of which one is withheld, so that all others are sums of rows that are shown.
periods as (
    select * from listed_periods
    union all
    select * from listed_periods_of_shares
    union distinct
    select
        withheld_in,
        scope_starts_on,
        'four_weeks' as period_type,
        four_weeks_start_on as period_starts_on
    from ({{ in_four_weeks('listed_periods', 'period_starts_on') }}) as weeks
    where period_type = 'week'
),

found as (
    select
        withheld.basis,
        periods.period_type,
        periods.period_starts_on,
        withheld.dimension_name,
        withheld.dimension_value,
        -- Of the two in this order, if some part of it is of few people.
        min(
            case
                when few.dimension_value is not null then 'suppressed_small_group'
                else 'suppressed_complementary'
            end
        ) as suppression_code
    from withheld
    inner join periods
        on
            withheld.period_type = periods.withheld_in
            and withheld.scope_starts_on = periods.scope_starts_on
    left join few on {{ same_keys('withheld', 'few', group) }}
    group by
        withheld.basis,
        periods.period_type,
        periods.period_starts_on,
        withheld.dimension_name,
        withheld.dimension_value
)

select
    {{ without_by_auditor('basis') }} as basis,
    period_type,
    period_starts_on,
    case
        {% for name, own in auditor_dimensions().items() -%}
        when dimension_name = '{{ name }}' and basis <> {{ without_by_auditor('basis') }}
            then '{{ own }}'
        {% endfor -%}
        else dimension_name
    end as dimension_name,
    dimension_value,
    suppression_code
from found
