{%- set from_day_on = 'partition by episode_id order by decided_on desc'
    ~ ' rows between unbounded preceding and current row' -%}

with peaks as (
    select * from {{ ref('int_monitoring__peaks') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
),

days as (
    select
        peaks.episode_id,
        daily.decided_on,
        sum(daily.n_errors) as n_errors,
        {{ exact_sum('daily.n_audits * rates.risk_rate') }} as risk_errors
    from peaks
    inner join daily
        on
            {{ same_keys('peaks', 'daily', ['dimension_name', 'dimension_value']) }}
            and peaks.window_ends_on >= daily.decided_on
            and {{ days_between('daily.decided_on', 'peaks.window_ends_on') }}
            < {{ var('scan_windows') | max }}
    inner join rates
        on
            {{ same_keys('peaks', 'rates', ['window_ends_on', 'window_days']) }}
            and daily.risk_cell = rates.risk_cell
    group by peaks.episode_id, daily.decided_on
),

-- From each day to the window's last.
from_day_on as (
    select
        episode_id,
        decided_on,
        sum(n_errors) over ({{ from_day_on }}) as n_errors,
        {{ exact_sum('risk_errors', over=from_day_on) }} as risk_errors
    from days
),

beside_usual as (
    select
        from_day_on.episode_id,
        from_day_on.decided_on,
        from_day_on.n_errors,
        from_day_on.risk_errors * peaks.expected_errors / peaks.risk_errors as expected_errors
    from from_day_on
    inner join peaks on from_day_on.episode_id = peaks.episode_id
    where
        (peaks.direction = 'worse')
        = (
            from_day_on.n_errors * peaks.risk_errors
            > from_day_on.risk_errors * peaks.expected_errors
        )
),

-- The most likely first day of a Poisson rate that has changed (Pignatiello and Samuel 2001).
ranked_days as (
    select
        episode_id,
        decided_on as since,
        row_number() over (
            partition by episode_id
            order by
                round(
                    case
                        when n_errors > 0 then n_errors * ln(n_errors / expected_errors) else 0e0
                    end
                    - n_errors + expected_errors,
                    9
                ) desc,
                decided_on desc
        ) as day_rank
    from beside_usual
)

select
    episode_id,
    since
from ranked_days
where day_rank = 1
