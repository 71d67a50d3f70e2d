{%- set slice = ['dimension_name', 'dimension_value'] -%}
{%- set window = ['window_ends_on', 'window_days'] -%}

with first_scan as (
    select * from {{ ref('int_monitoring__first_scan') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

calendar as (
    select calendar_date from {{ ref('dim_calendar') }}
),

windows as (
    select * from {{ ref('int_monitoring__windows') }}
    where dimension_name = 'overall'
),

rates as (
    {{ risk_rates('windows', window) }}
),

-- What was alarming is not what is usual. Known from the day that the first of its windows ended, so that no
-- day's result depends on later ones.
alarming_days as (
    select
        first_scan.{{ slice | join(', first_scan.') }},
        calendar.calendar_date,
        min(first_scan.window_ends_on) as known_on
    from first_scan
    inner join calendar
        on
            first_scan.window_ends_on >= calendar.calendar_date
            and {{ days_between('calendar.calendar_date', 'first_scan.window_ends_on') }}
            < first_scan.window_days
    where abs(first_scan.z) >= {{ var('alert_z') }}
    group by first_scan.{{ slice | join(', first_scan.') }}, calendar.calendar_date
),

left_out as (
    select
        first_scan.{{ (slice + window) | join(', first_scan.') }},
        sum(daily.n_errors) as n_errors,
        {{ exact_sum('daily.n_audits * rates.risk_rate') }} as risk_errors
    from alarming_days
    inner join daily
        on
            {{ same_keys('alarming_days', 'daily', slice) }}
            and alarming_days.calendar_date = daily.decided_on
    inner join first_scan
        on
            {{ same_keys('alarming_days', 'first_scan', slice) }}
            and alarming_days.known_on <= first_scan.window_ends_on
            and {{ days_between('daily.decided_on', 'first_scan.window_ends_on') }}
            >= first_scan.window_days
            and {{ days_between('daily.decided_on', 'first_scan.window_ends_on') }}
            < first_scan.window_days + {{ var('scan_baseline_days') }}
    inner join rates
        on
            daily.risk_cell = rates.risk_cell
            and {{ same_keys('first_scan', 'rates', window) }}
    group by first_scan.{{ (slice + window) | join(', first_scan.') }}
),

cleaned as (
    select
        first_scan.{{ (slice + window) | join(', first_scan.') }},
        first_scan.n_audits,
        first_scan.n_errors,
        first_scan.risk_errors,
        first_scan.risk_variance,
        first_scan.n_base_errors - coalesce(left_out.n_errors, 0) as n_base_errors,
        greatest(0e0, first_scan.base_risk_errors - coalesce(left_out.risk_errors, 0e0))
            as base_risk_errors
    from first_scan
    left join left_out
        on {{ same_keys('first_scan', 'left_out', slice + window) }}
),

scored as (
    {{ scan_statistic('cleaned') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by {{ slice | join(', ') }}, window_ends_on, z >= 0
            order by abs(z) desc, window_days
        ) as window_rank
    from scored
    -- A single error is no sign, nor is one where hardly any was to be expected.
    where risk_errors >= 1 and (z < 0 or n_errors >= 2)
)

select
    {{ slice | join(', ') }},
    window_ends_on,
    case when z >= 0 then 'worse' else 'better' end as direction,
    window_days,
    {{ add_days('window_ends_on', '1 - window_days') }} as since,
    cast(n_audits as bigint) as n_audits,
    cast(n_errors as bigint) as n_errors,
    cast(n_base_errors as bigint) as n_base_errors,
    risk_errors,
    base_risk_errors,
    sampling_variance,
    expected_errors,
    likelihood_ratio,
    ratio,
    z
from ranked
where window_rank = 1
