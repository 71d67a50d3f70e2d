{#- How old the open jobs were at the end of each week, and are now. -#}
{% set bands = {
    'below_half_target': 'age < target_seconds / 2',
    'below_target': 'age >= target_seconds / 2 and age < target_seconds',
    'below_twice_target': 'age >= target_seconds and age < 2 * target_seconds',
    'twice_target_or_more': 'age >= 2 * target_seconds',
    'without_target': 'target_seconds is null',
} -%}
{% set midnight = utc_timestamp('cast(' ~ add_days('calendar_date', 1) ~ ' as timestamp)',
    var('reporting_timezone')) -%}

with jobs as (
    select
        coalesce(queue_id, 'unknown') as queue,
        enqueued_at,
        enqueued_on,
        closed_on,
        is_open,
        target_at_enqueue * 60 as target_seconds
    from {{ ref('fct_jobs') }}
    where
        left_out_reason is null
        -- Nearly all end in the week in which they came.
        and (is_open or closed_on > {{ add_days(week_start('enqueued_on'), 6) }})
),

as_of as (
    select
        as_of,
        {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

moments as (
    select
        flow.calendar_date,
        as_of.as_of as asked_at
    from (select distinct calendar_date from {{ ref('int_operations__flow') }}) as flow
    inner join as_of on flow.calendar_date = as_of.today
    union all
    select
        flow.calendar_date,
        {{ midnight }} as asked_at
    from (select distinct calendar_date from {{ ref('int_operations__flow') }}) as flow
    inner join as_of on flow.calendar_date < as_of.today
    where flow.calendar_date = {{ add_days(week_start('flow.calendar_date'), 6) }}
),

open_jobs as (
    select
        moments.calendar_date,
        jobs.queue,
        jobs.target_seconds,
        {{ seconds_between('jobs.enqueued_at', 'moments.asked_at') }} as age
    from jobs
    inner join moments
        on
            jobs.enqueued_on <= moments.calendar_date
            and (jobs.is_open or jobs.closed_on > moments.calendar_date)
),

grouped as (
    select
        open_jobs.*,
        dimensions.dimension_name,
        case dimensions.dimension_name when 'queue' then open_jobs.queue else 'all' end
            as dimension_value
    from open_jobs
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
),

ranked as (
    select
        *,
        row_number() over (
            partition by calendar_date, dimension_name, dimension_value order by age
        ) as n_so_far,
        count(*) over (partition by calendar_date, dimension_name, dimension_value) as n_all
    from grouped
)

select
    calendar_date,
    dimension_name,
    dimension_value,
    count(*) as n_open,
    {{ ranked_quantile(0.5, 'age') }} as age_seconds_p50,
    {{ ranked_quantile(0.9, 'age') }} as age_seconds_p90,
    {% for name, condition in bands.items() -%}
    cast(sum(case when {{ condition }} then 1 else 0 end) as bigint) as n_{{ name }},
    {% endfor -%}
    max(age) as age_seconds_oldest
from ranked
group by calendar_date, dimension_name, dimension_value
