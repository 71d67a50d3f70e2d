{%- set keys = ['dimension_name', 'dimension_value', 'risk_cell'] -%}
{%- set until_now = 'partition by pairs.' ~ keys | join(', pairs.')
    ~ ' order by calendar.calendar_date rows between unbounded preceding and current row' -%}
{%- set by_slice = 'partition by ' ~ keys | join(', ') ~ ' order by window_ends_on' -%}

with daily as (
    select * from {{ ref('slice_days') }}
),

calendar as (
    select calendar_date from {{ ref('dim_calendar') }}
),

pairs as (
    select
        {{ keys | join(', ') }},
        min(decided_on) as first_day
    from daily
    group by {{ keys | join(', ') }}
),

-- A row for every day, so that rows before are days before; with what there was until then.
so_far as (
    select
        pairs.{{ keys | join(', pairs.') }},
        calendar.calendar_date as window_ends_on,
        sum(coalesce(daily.n_audits, 0)) over ({{ until_now }}) as n_audits,
        sum(coalesce(daily.n_errors, 0)) over ({{ until_now }}) as n_errors
    from pairs
    inner join calendar on pairs.first_day <= calendar.calendar_date
    left join daily
        on
            {{ same_keys('pairs', 'daily', keys) }}
            and calendar.calendar_date = daily.decided_on
),

windows as (
    {% for days in var('scan_windows') -%}
    {%- set with_baseline = days + var('scan_baseline_days') -%}
    select
        {{ keys | join(', ') }},
        window_ends_on,
        cast({{ days }} as bigint) as window_days,
        n_audits - lag(n_audits, {{ days }}, 0) over ({{ by_slice }}) as n_audits,
        n_errors - lag(n_errors, {{ days }}, 0) over ({{ by_slice }}) as n_errors,
        lag(n_audits, {{ days }}, 0) over ({{ by_slice }})
        - lag(n_audits, {{ with_baseline }}, 0) over ({{ by_slice }}) as n_baseline_audits,
        lag(n_errors, {{ days }}, 0) over ({{ by_slice }})
        - lag(n_errors, {{ with_baseline }}, 0) over ({{ by_slice }}) as n_baseline_errors
    from so_far
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    {{ keys | join(', ') }},
    window_ends_on,
    window_days,
    cast(n_audits as bigint) as n_audits,
    cast(n_errors as bigint) as n_errors,
    cast(n_baseline_audits as bigint) as n_baseline_audits,
    cast(n_baseline_errors as bigint) as n_baseline_errors
from windows
where n_audits > 0 or n_baseline_audits > 0
