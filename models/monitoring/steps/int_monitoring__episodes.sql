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

audits as (
    select
        peaks.episode_id,
        slices.audit_id,
        slices.moderator_key
    from peaks
    inner join slices
        on
            {{ same_keys('peaks', 'slices', slice[:2]) }}
            and slices.decided_on between peaks.since and peaks.window_ends_on
    where {{ computed_once() }}
),

people as (
    select
        episode_id,
        count(distinct moderator_key) as n_people
    from audits
    group by episode_id
),

-- Of so few people nothing is said outside the schema restricted. None: machines decided.
shown as (
    select
        peaks.*,
        people.n_people
    from peaks
    inner join people on peaks.episode_id = people.episode_id
    where people.n_people = 0 or people.n_people >= {{ var('min_people') }}
),

-- Nor by taking the counts of one alarm off those of another with the same days.
told_by_subtraction as (
    select
        case when abs(wholes.z) < abs(parts.z) then wholes.episode_id else parts.episode_id end
            as episode_id
    from shown as wholes
    inner join shown as parts
        on
            wholes.since = parts.since
            and wholes.window_ends_on = parts.window_ends_on
            and wholes.episode_id <> parts.episode_id
    inner join audits on wholes.episode_id = audits.episode_id
    left join audits as shared
        on parts.episode_id = shared.episode_id and audits.audit_id = shared.audit_id
    group by wholes.episode_id, wholes.z, parts.episode_id, parts.z, parts.n_audits
    having
        count(shared.audit_id) = parts.n_audits
        and count(distinct case when shared.audit_id is null then audits.moderator_key end)
        between 1 and {{ var('min_people') }} - 1
)

select
    shown.episode_id,
    shown.{{ slice | join(', shown.') }},
    shown.first_alarm_on,
    shown.last_alarm_on,
    shown.window_ends_on,
    shown.window_days,
    shown.since,
    cast(shown.n_people as bigint) as n_people,
    shown.n_audits,
    shown.n_errors,
    shown.n_baseline_errors,
    shown.risk_errors,
    shown.baseline_risk_errors,
    shown.sampling_variance,
    shown.expected_errors,
    shown.likelihood_ratio,
    shown.ratio,
    shown.z,
    shown.q_value
from shown
left join told_by_subtraction on shown.episode_id = told_by_subtraction.episode_id
where told_by_subtraction.episode_id is null
