{% set ends = ['decided', 'escalated', 'answered', 'auto_closed', 'other'] -%}
{% set bands = [
    'below_half_target', 'below_target', 'below_twice_target', 'twice_target_or_more', 'without_target',
] -%}
{% set week_ends_on = add_days(week_start('summed.calendar_date'), 6) -%}
{% set zone = var('reporting_timezone') -%}
{% set so_far -%}
    partition by dimension_name, dimension_value order by calendar_date
    rows between unbounded preceding and current row
{%- endset -%}

with flow as (
    select * from {{ ref('int_operations__flow') }}
),

ages as (
    select * from {{ ref('int_operations__ages') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

grouped as (
    select
        flow.calendar_date,
        dimensions.dimension_name,
        case dimensions.dimension_name when 'queue' then flow.queue else 'all' end
            as dimension_value,
        {% for how in ends -%}
        sum(flow.n_{{ how }}) as n_{{ how }},
        {% endfor -%}
        sum(flow.n_{{ ends | join(' + flow.n_') }}) as n_out,
        sum(flow.n_in) as n_in,
        sum(flow.n_left_out) as n_left_out,
        sum(flow.n_known_in - flow.n_known_out) as known_flow
    from flow
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
    group by
        flow.calendar_date,
        dimensions.dimension_name,
        case dimensions.dimension_name when 'queue' then flow.queue else 'all' end
),

-- Ages are asked at the end of each week, and today.
summed as (
    select
        *,
        sum(n_in - n_out) over ({{ so_far }}) as backlog_restated,
        sum(known_flow) over ({{ so_far }}) as backlog_as_known,
        avg(cast(n_out as double)) over (
            partition by dimension_name, dimension_value order by calendar_date
            rows between 6 preceding and current row
        ) as mean_out,
        {{ utc_timestamp('cast(calendar_date as timestamp)', zone) }} as begins_at,
        {{ utc_timestamp('cast(' ~ add_days('calendar_date', 1) ~ ' as timestamp)', zone) }}
            as ends_at
    from grouped
)

select
    summed.calendar_date,
    summed.dimension_name,
    summed.dimension_value,
    summed.calendar_date < as_of.today as is_complete,
    {{ seconds_between('summed.begins_at', 'summed.ends_at') }} / 3600e0 as n_hours,
    cast(summed.n_in as bigint) as n_in,
    cast(summed.n_out as bigint) as n_out,
    {% for how in ends -%}
    cast(summed.n_{{ how }} as bigint) as n_{{ how }},
    {% endfor -%}
    cast(summed.n_in - summed.n_out as bigint) as net_flow,
    cast(summed.n_left_out as bigint) as n_left_out,
    cast(summed.backlog_restated as bigint) as backlog_restated,
    cast(summed.backlog_as_known as bigint) as backlog_as_known,
    summed.backlog_restated / nullif(summed.mean_out, 0) as days_of_work,
    ages.age_seconds_p50 / 3600e0 as age_hours_p50,
    ages.age_seconds_p90 / 3600e0 as age_hours_p90,
    {% for name in bands -%}
    case
        when summed.calendar_date in (as_of.today, {{ week_ends_on }})
            then coalesce(ages.n_{{ name }}, 0)
    end as n_open_{{ name }},
    {% endfor -%}
    ages.age_seconds_oldest / 3600e0 as age_hours_oldest
from summed
cross join as_of
left join ages
    on {{ same_keys('summed', 'ages', ['calendar_date', 'dimension_name', 'dimension_value']) }}
