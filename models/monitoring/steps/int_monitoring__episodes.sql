{%- set slice = ['dimension_name', 'dimension_value', 'direction'] -%}

with scan as (
    select * from {{ ref('int_monitoring__scan') }}
),

alarms as (
    select
        *,
        lag(window_ends_on) over (
            partition by {{ slice | join(', ') }} order by window_ends_on
        ) as alarmed_before_on
    from scan
    where
        (z >= {{ var('alert_z') }} or z <= -{{ var('strong_z') }})
        and {{ is_watched('scan') }}
),

numbered as (
    select
        *,
        sum(
            case
                when {{ days_between('alarmed_before_on', 'window_ends_on') }} <= {{ episode_gap_days() }}
                    then 0
                else 1
            end
        ) over (
            partition by {{ slice | join(', ') }} order by window_ends_on
            rows between unbounded preceding and current row
        ) as episode_number
    from alarms
),

ranked as (
    select
        *,
        min(window_ends_on) over ({{ 'partition by ' ~ slice | join(', ') ~ ', episode_number' }})
            as first_alarm_on,
        max(window_ends_on) over ({{ 'partition by ' ~ slice | join(', ') ~ ', episode_number' }})
            as last_alarm_on,
        row_number() over (
            partition by {{ slice | join(', ') }}, episode_number
            order by abs(z) desc, window_ends_on
        ) as alarm_rank
    from numbered
)

select
    concat_ws('|', {{ slice | join(', ') }}, cast(first_alarm_on as string)) as episode_id,
    {{ slice | join(', ') }},
    first_alarm_on,
    last_alarm_on,
    window_ends_on,
    window_days,
    since,
    n_audits,
    n_errors,
    n_base_errors,
    risk_errors,
    base_risk_errors,
    sampling_variance,
    expected_errors,
    likelihood_ratio,
    ratio,
    z
from ranked
where alarm_rank = 1
