{#- Jobs come in and go out, by queue and day; known: by the day on which it was known. -#}
{% set ends = ['decided', 'escalated', 'answered', 'auto_closed', 'other'] -%}
{% set counts = ['n_in', 'n_left_out', 'n_known_in', 'n_known_out'] -%}
{% for how in ends -%}{% do counts.append('n_' ~ how) -%}{% endfor -%}
{% set of_day, of_spine = [], [] -%}
{% for name in counts -%}
{% do of_day.append("sum(case when counted = '" ~ name ~ "' then n else 0 end) as " ~ name) -%}
{% do of_spine.append('cast(coalesce(by_day.' ~ name ~ ', 0) as bigint) as ' ~ name) -%}
{% endfor -%}
{% set grace = -3600 * var('backlog_grace_hours') -%}

with jobs as (
    select
        *,
        coalesce(queue_id, 'unknown') as queue,
        greatest(enqueued_at, {{ add_seconds('known_at', grace) }}) as known_in_at,
        greatest(
            enqueued_at,
            {{ add_seconds('known_at', grace) }},
            closed_at,
            {{ add_seconds('close_known_at', grace) }}
        ) as known_out_at
    from {{ ref('fct_jobs') }}
),

-- Each event of a job on its day: what it counts, and how often.
events as (
    select
        queue,
        enqueued_on as calendar_date,
        case when left_out_reason is null then 'n_in' else 'n_left_out' end as counted,
        count(*) as n
    from jobs
    group by queue, enqueued_on, case when left_out_reason is null then 'n_in' else 'n_left_out' end
    union all
    select
        queue,
        closed_on as calendar_date,
        concat('n_', closed_how) as counted,
        count(*) as n
    from jobs
    where left_out_reason is null and closed_at is not null
    group by queue, closed_on, concat('n_', closed_how)
    union all
    select
        queue,
        {{ reporting_date('known_in_at') }} as calendar_date,
        'n_known_in' as counted,
        count(*) as n
    from jobs
    where left_out_reason is null
    group by queue, {{ reporting_date('known_in_at') }}
    union all
    select
        queue,
        {{ reporting_date('known_out_at') }} as calendar_date,
        'n_known_out' as counted,
        count(*) as n
    from jobs
    where left_out_reason is null and closed_at is not null
    group by queue, {{ reporting_date('known_out_at') }}
),

by_day as (
    select
        queue,
        calendar_date,
        {{ of_day | join(',\n        ') }}
    from events
    group by queue, calendar_date
),

bounds as (
    select
        min(by_day.calendar_date) as first_day,
        max({{ reporting_date('as_of.as_of') }}) as last_day
    from by_day
    cross join {{ ref('int_context__as_of') }} as as_of
),

days as (
    {{ date_series('(select first_day from bounds)', '(select last_day from bounds)') }}
),

-- Quiet days are 0 and not missing.
spine as (
    select
        queues.queue,
        days.calendar_date
    from (select distinct queue from by_day) as queues
    cross join days
)

select
    spine.queue,
    spine.calendar_date,
    {{ of_spine | join(',\n    ') }}
from spine
left join by_day
    on spine.queue = by_day.queue and spine.calendar_date = by_day.calendar_date
