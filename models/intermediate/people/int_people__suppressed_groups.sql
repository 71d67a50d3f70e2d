{% set group = [
    'basis', 'period_type', 'scope_starts_on', 'dimension_name', 'dimension_value',
] -%}
with people as (
    select * from {{ ref('int_people__at_work') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- Of which dimensions days have rates.
daily as (
    select distinct
        dimension_name,
        cast(period_starts_on as string) as part
    from {{ ref('accuracy_population') }}
    where period_type = 'day' and has_rates
),

in_containers as (
    select of_all.*
    from (
        {{ people_in_containers('people', containers_of_groups()) }}
    ) as of_all
    left join daily on {{ same_keys('of_all', 'daily', ['dimension_name', 'part']) }}
    where of_all.period_type <> 'day' or daily.part is not null
),

few as (
    select distinct {{ group | join(', ') }}
    from (
        select {{ group | join(', ') }}
        from in_containers
        where container_name = 'all'
        group by {{ group | join(', ') }}, part, head_of
        having {{ few_people_in_a_part() }}
    ) as parts_of_few
),

withheld_first as (
    select * from few
    union distinct
    {{ teams_with_few_elsewhere('people') }}
    union distinct
    select * from (
        {{ complementary_groups('in_containers', 'few') }}
    ) as with_another
),

{% for name, other in [('site', 'vendor'), ('vendor', 'site')] -%}
{{ name }}s as (
    select
        people.basis,
        people.period_type,
        people.scope_starts_on,
        people.{{ name }},
        max(case when withheld_first.dimension_value is not null then 1 else 0 end) = 1
            as is_withheld,
        count(distinct people.{{ other }}) = 1 as is_in_one_{{ other }}
    from people
    left join withheld_first
        on
            {{ same_keys('people', 'withheld_first', group[:3]) }}
            and withheld_first.dimension_name = '{{ name }}'
            and people.{{ name }} = withheld_first.dimension_value
    group by people.basis, people.period_type, people.scope_starts_on, people.{{ name }}
),

{% endfor -%}
marked as (
    select
        people.*,
        sites.is_withheld as is_site_withheld,
        vendors.is_withheld as is_vendor_withheld,
        sites.is_in_one_vendor and not sites.is_withheld as is_site_taken_off,
        vendors.is_in_one_site and not vendors.is_withheld as is_vendor_taken_off
    from people
    inner join sites on {{ same_keys('people', 'sites', group[:3] + ['site']) }}
    inner join vendors on {{ same_keys('people', 'vendors', group[:3] + ['vendor']) }}
),

in_leftovers as (
    {{ people_in_containers('marked', containers_of_teams()) }}
),

withheld_next as (
    select * from withheld_first
    union distinct
    select * from (
        {{ complementary_groups('in_leftovers', 'withheld_first') }}
    ) as with_another
),

-- Sites and vendors may cross: sites less the vendors that most of their people are of leave what
-- joins them to others. Where few people do, no vendor is shown.
cells as (
    {{ cells_of_sites_and_vendors('marked', 'withheld_next') }}
),

joined_by_few as (
    {{ parts_joined_by_few('cells') }}
),

withheld as (
    select * from withheld_next
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
periods as (
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
)

select
    withheld.basis,
    periods.period_type,
    periods.period_starts_on,
    withheld.dimension_name,
    withheld.dimension_value,
    -- Of the two in this order, if some part of it is of few people.
    min(
        case
            when few.dimension_value is not null then 'too_few_people'
            else 'withheld_with_another'
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
