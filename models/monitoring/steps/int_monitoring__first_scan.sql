{%- set slice = ['dimension_name', 'dimension_value', 'window_ends_on', 'window_days'] -%}

with windows as (
    select * from {{ ref('int_monitoring__windows') }}
),

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
),

calendar as (
    select min(calendar_date) as first_day from {{ ref('dim_calendar') }}
),

summed as (
    {{ observed_and_expected('windows', 'rates', by=slice, keys=slice[2:]) }}
),

scored as (
    {{ scan_statistic('summed') }}
)

select
    scored.{{ slice | join(', scored.') }},
    {% for name in ['n_audits', 'n_errors', 'n_baseline_errors'] -%}
    cast(scored.{{ name }} as bigint) as {{ name }},
    {% endfor -%}
    scored.risk_errors,
    scored.risk_variance,
    scored.baseline_risk_errors,
    scored.z
from scored
cross join calendar
-- Of fewer days of baseline nothing is known of what is usual.
where
    {{ days_between('calendar.first_day', 'scored.window_ends_on') }} - scored.window_days + 1
    >= {{ var('scan_learning_days') }}
