{% set staff = "case when vendor in ('" ~ var('in_house_vendors') | join("', '")
    ~ "') then 'internal' when vendor is not null then 'external' else 'vendor_unknown' end" -%}

with roster as (
    select
        *,
        {{ staff }} as staff_kind,
        {{ dsa_language('language') }} as official_language
    from {{ ref('stg_roster') }}
    where role = 'moderator'
),

shifts as (
    select * from {{ ref('stg_shift_hours') }}
    where paid_seconds is not null
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

periods as (
    select distinct
        period_type,
        period_starts_on
    from {{ ref('int_dsa__rows') }}
),

ends as (
    select
        periods.*,
        least(
            as_of.as_of,
            cast({{ dsa_period_end('periods', 1) }} as timestamp)
        ) as counted_at
    from periods
    cross join as_of
),

-- On the last day; of somebody in two rows, each kind and language once.
at_the_end as (
    select
        ends.period_type,
        ends.period_starts_on,
        roster.person_key,
        roster.staff_kind,
        roster.official_language
    from ends
    inner join roster
        on
            ends.counted_at > roster.valid_from
            and coalesce(ends.counted_at <= roster.valid_to, true)
),

scoped as (
    select
        period_type,
        period_starts_on,
        staff_kind as scope,
        person_key
    from at_the_end
    union all
    select
        period_type,
        period_starts_on,
        'languages' as scope,
        person_key
    from at_the_end
    where official_language is not null
    union all
    select
        period_type,
        period_starts_on,
        official_language as scope,
        person_key
    from at_the_end
    where official_language is not null
),

paid as (
    select
        shifts.person_key,
        shifts.work_date,
        shifts.paid_seconds,
        roster.staff_kind
    from shifts
    inner join roster
        on
            shifts.person_key = roster.person_key
            and {{ valid_at('roster', 'cast(shifts.work_date as timestamp)') }}
),

paid_in_periods as (
    {{ by_dsa_period('paid', 'work_date') }}
),

weeks as (
    select
        period_type,
        period_starts_on,
        (1 + {{ days_between('min(work_date)', 'max(work_date)') }}) / cast(7 as double) as n_weeks
    from paid_in_periods
    group by period_type, period_starts_on
)

select
    period_type,
    period_starts_on,
    scope,
    'n_moderators' as indicator,
    cast(count(distinct person_key) as double) as indicator_value
from scoped
group by period_type, period_starts_on, scope
union all
select
    paid_in_periods.period_type,
    paid_in_periods.period_starts_on,
    paid_in_periods.staff_kind as scope,
    'full_time_equivalents' as indicator,
    cast(sum(paid_in_periods.paid_seconds) as bigint)
    / (cast(3600 as double) * {{ var('full_time_hours') }} * max(weeks.n_weeks))
        as indicator_value
from paid_in_periods
inner join weeks
    on {{ same_keys('paid_in_periods', 'weeks', ['period_type', 'period_starts_on']) }}
group by
    paid_in_periods.period_type, paid_in_periods.period_starts_on, paid_in_periods.staff_kind
