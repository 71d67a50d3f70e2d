{%- set slice = ['dimension_name', 'dimension_value', 'direction'] -%}

with scan as (
    select * from {{ ref('int_monitoring__scan') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
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
                when
                    {{ days_between('alarmed_before_on', 'window_ends_on') }}
                    <= {{ scan_constants().gap_days }}
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
),

peaks as (
    select
        concat_ws('|', {{ slice | join(', ') }}, cast(first_alarm_on as string)) as episode_id,
        *
    from ranked
    where alarm_rank = 1
),

people as (
    select
        peaks.episode_id,
        count(distinct slices.moderator_key) as n_people
    from peaks
    inner join slices
        on
            {{ same_keys('peaks', 'slices', slice[:2]) }}
            and slices.decided_on between peaks.window_starts_on and peaks.window_ends_on
    group by peaks.episode_id
)

select
    peaks.episode_id,
    peaks.{{ slice | join(', peaks.') }},
    peaks.first_alarm_on,
    peaks.last_alarm_on,
    peaks.window_starts_on,
    peaks.window_ends_on,
    peaks.window_days,
    cast(people.n_people as bigint) as n_people,
    peaks.n_audits,
    peaks.n_errors,
    peaks.n_baseline_errors,
    peaks.risk_errors,
    peaks.baseline_risk_errors,
    peaks.sampling_variance,
    peaks.expected_errors,
    peaks.likelihood_ratio,
    peaks.ratio,
    peaks.z,
    peaks.q_value
from peaks
inner join people on peaks.episode_id = people.episode_id
-- Of so few people nothing is said outside the schema restricted. None: machines decided.
where people.n_people = 0 or people.n_people >= {{ var('min_people') }}
