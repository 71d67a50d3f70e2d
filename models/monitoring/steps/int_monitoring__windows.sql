{%- set keys = ['dimension_name', 'dimension_value', 'risk_cell'] -%}
{%- set before = var('scan_baseline_days') -%}

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

-- A row for every day, so that rows before are days before.
every_day as (
    select
        pairs.*,
        calendar.calendar_date as window_ends_on,
        coalesce(daily.n_audits, 0) as n_audits,
        coalesce(daily.n_errors, 0) as n_errors
    from pairs
    inner join calendar on pairs.first_day <= calendar.calendar_date
    left join daily
        on
            {{ same_keys('pairs', 'daily', keys) }}
            and calendar.calendar_date = daily.decided_on
),

rolled as (
    select
        {{ keys | join(', ') }},
        window_ends_on,
        {% for days in var('scan_windows') -%}
        {% for name in ['n_audits', 'n_errors'] -%}
        sum({{ name }}) over (
            partition by {{ keys | join(', ') }} order by window_ends_on
            rows between {{ days - 1 }} preceding and current row
        ) as {{ name }}_{{ days }},
        sum({{ name }}) over (
            partition by {{ keys | join(', ') }} order by window_ends_on
            rows between {{ days + before - 1 }} preceding and {{ days }} preceding
        ) as base_{{ name }}_{{ days }}{{ ',' if not loop.last }}
        {% endfor -%}
        {{ ',' if not loop.last }}
        {%- endfor %}
    from every_day
),

windows as (
    {% for days in var('scan_windows') -%}
    select
        {{ keys | join(', ') }},
        window_ends_on,
        {{ days }} as window_days,
        n_audits_{{ days }} as n_audits,
        n_errors_{{ days }} as n_errors,
        coalesce(base_n_audits_{{ days }}, 0) as n_base_audits,
        coalesce(base_n_errors_{{ days }}, 0) as n_base_errors
    from rolled
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    {{ keys | join(', ') }},
    window_ends_on,
    cast(window_days as bigint) as window_days,
    {% for name in ['n_audits', 'n_errors', 'n_base_audits', 'n_base_errors'] -%}
    cast({{ name }} as bigint) as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from windows
where n_audits > 0 or n_base_audits > 0
