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

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
),

accepted_changes as (
    select * from {{ ref('accepted_changes') }}
),

-- How many days after an accepted change a window begins, of those that end after it.
after_changes as (
    select
        first_scan.{{ (slice + window) | join(', first_scan.') }},
        min(
            {{ days_between('accepted_changes.from_day', 'first_scan.window_ends_on') }}
            - first_scan.window_days + 1
        ) as days_after
    from first_scan
    inner join accepted_changes
        on
            {{ same_keys('first_scan', 'accepted_changes', slice) }}
            and first_scan.window_ends_on >= accepted_changes.from_day
    group by first_scan.{{ (slice + window) | join(', first_scan.') }}
),

-- What was alarming is not what is usual. Known from the day that the first of its windows ended,
-- so that no day's result depends on later ones.
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
    left join after_changes
        on {{ same_keys('first_scan', 'after_changes', slice + window) }}
    where
        abs(first_scan.z) >= {{ var('alert_z') }}
        -- Beside the days before an accepted change all that is new is alarming.
        and coalesce(after_changes.days_after >= {{ var('scan_baseline_days') }}, true)
    group by first_scan.{{ slice | join(', first_scan.') }}, calendar.calendar_date
),

-- Nor is what was before a change that somebody has accepted.
days_to_leave_out as (
    select
        {{ slice | join(', ') }},
        calendar_date,
        min(known_on) as known_on
    from (
        select * from alarming_days
        union all
        select
            accepted_changes.{{ slice | join(', accepted_changes.') }},
            calendar.calendar_date,
            accepted_changes.from_day as known_on
        from accepted_changes
        inner join calendar on accepted_changes.from_day > calendar.calendar_date
    ) as all_days
    group by {{ slice | join(', ') }}, calendar_date
),

left_out as (
    select
        first_scan.{{ (slice + window) | join(', first_scan.') }},
        sum(daily.n_errors) as n_errors,
        {{ exact_sum('daily.n_audits * rates.risk_rate') }} as risk_errors
    from days_to_leave_out
    inner join daily
        on
            {{ same_keys('days_to_leave_out', 'daily', slice) }}
            and days_to_leave_out.calendar_date = daily.decided_on
    inner join first_scan
        on
            {{ same_keys('days_to_leave_out', 'first_scan', slice) }}
            and days_to_leave_out.known_on <= first_scan.window_ends_on
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
        first_scan.n_baseline_errors - coalesce(left_out.n_errors, 0) as n_baseline_errors,
        greatest(0e0, first_scan.baseline_risk_errors - coalesce(left_out.risk_errors, 0e0))
            as baseline_risk_errors
    from first_scan
    left join left_out
        on {{ same_keys('first_scan', 'left_out', slice + window) }}
    left join after_changes
        on {{ same_keys('first_scan', 'after_changes', slice + window) }}
    where coalesce(after_changes.days_after >= {{ var('scan_learning_days') }}, true)
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
),

best as (
    select
        *,
        case when z >= 0 then 'worse' else 'better' end as direction,
        {{ normal_cdf('-abs(z)') }} as p_value
    from ranked
    where window_rank = 1
),

-- Over the slices of a day.
of_many as (
    select
        *,
        {{ raw_q_value(['window_ends_on', 'direction']) }} as raw_q_value
    from best
)

select
    {{ slice | join(', ') }},
    window_ends_on,
    direction,
    cast(window_days as bigint) as window_days,
    {{ add_days('window_ends_on', '1 - window_days') }} as window_starts_on,
    cast(n_audits as bigint) as n_audits,
    cast(n_errors as bigint) as n_errors,
    cast(n_baseline_errors as bigint) as n_baseline_errors,
    risk_errors,
    baseline_risk_errors,
    sampling_variance,
    expected_errors,
    likelihood_ratio,
    ratio,
    z,
    {{ q_value(['window_ends_on', 'direction']) }} as q_value
from of_many
