{%- set slice = ['dimension_name', 'dimension_value'] -%}
{%- set windows = [7, 28] -%}

with scan as (
    select * from {{ ref('int_monitoring__first_scan') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

calendar as (
    select max(decided_on) as last_day from daily
),

-- The smallest multiple of the error rate that 95 of 100 windows would have shown: on the scale of
-- square roots, counts vary by one half.
detectable as (
    select
        scan.{{ slice | join(', scan.') }},
        scan.window_days,
        power(
            1 + ({{ var('alert_z') }} + 1.645) / 2 * sqrt(
                (
                    {{ sampling_variance('scan.risk_variance', 'scan.risk_errors') }}
                    + power({{ var('scan_natural_variation') }}, 2) * scan.risk_errors
                )
                * (
                    1 + scan.risk_errors
                    / (scan.baseline_risk_errors + {{ scan_constants().slice_errors }})
                )
                / scan.risk_errors
            ),
            2
        ) as detectable_ratio
    from scan
    inner join calendar on scan.window_ends_on = calendar.last_day
    where scan.window_days in ({{ windows | join(', ') }}) and scan.risk_errors >= 1
),

people as (
    select
        slices.{{ slice | join(', slices.') }},
        count(distinct slices.moderator_key) as n_people
    from slices
    inner join calendar
        on
            {{ days_between('slices.decided_on', 'calendar.last_day') }} < {{ windows[-1] }}
    group by slices.{{ slice | join(', slices.') }}
),

known as (
    select
        {{ slice | join(', ') }},
        min(decided_on) as first_audited_on,
        max(decided_on) as last_audited_on
    from daily
    group by {{ slice | join(', ') }}
),

joined as (
    select
        known.*,
        calendar.last_day,
        people.n_people,
        {% for days in windows -%}
        detectable_{{ days }}.detectable_ratio as detectable_ratio_{{ days }}_days,
        {% endfor -%}
        case
            when people.n_people between 1 and {{ var('min_people') }} - 1
                then 'suppressed_small_group'
            when people.n_people is null then 'no_audits'
            when detectable_28.detectable_ratio is null then 'too_few_audits'
        end as reason_code
    from known
    cross join calendar
    left join people on {{ same_keys('known', 'people', slice) }}
    {% for days in windows -%}
    left join detectable as detectable_{{ days }}
        on
            {{ same_keys('known', 'detectable_' ~ days, slice) }}
            and detectable_{{ days }}.window_days = {{ days }}
    {% endfor %}
)

select
    {{ slice | join(', ') }},
    {{ is_watched('joined') }} as is_watched,
    first_audited_on,
    last_audited_on,
    last_day,
    {% for days in windows -%}
    case when reason_code is null then round(detectable_ratio_{{ days }}_days, 1) end
        as detectable_ratio_{{ days }}_days,
    {% endfor -%}
    reason_code
from joined
