{#- The shortest window of two weeks or more. -#}
{%- set recent_days = var('scan_windows') | select('ge', scan_constants().gap_days) | min %}

with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

explained as (
    select * from {{ ref('int_monitoring__explained') }}
),

impact as (
    select * from {{ ref('int_monitoring__impact') }}
),

kinds as (
    select * from {{ ref('int_monitoring__kinds') }}
),

dimensions as (
    select * from {{ ref('dimensions') }}
),

queues as (
    select * from {{ ref('dim_queues') }}
),

policies as (
    select * from {{ ref('dim_policies') }}
),

accepted_changes as (
    select * from {{ ref('accepted_changes') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as as_of_on from {{ ref('int_context__as_of') }}
),

last_day as (
    select max(window_ends_on) as scanned_until from {{ ref('int_monitoring__scan') }}
),

-- The last two weeks: long windows alarm for as long as they hold what is over.
recent as (
    select first_scan.*
    from {{ ref('int_monitoring__first_scan') }} as first_scan
    inner join last_day on first_scan.window_ends_on = last_day.scanned_until
    where first_scan.window_days = {{ recent_days }}
),

-- What explains an alarm may be explained itself.
led as (
    select
        explained.episode_id,
        explained.explained_by,
        coalesce(
            third.episode_id, next_one.episode_id, first_one.episode_id, explained.episode_id
        ) as incident_id
    from explained
    left join explained as first_one on explained.explained_by = first_one.episode_id
    left join explained as next_one on first_one.explained_by = next_one.episode_id
    left join explained as third on next_one.explained_by = third.episode_id
),

-- From the accepted day on it does not alarm: an alarm that led to it ended before.
accepted as (
    select distinct episodes.episode_id
    from episodes
    inner join accepted_changes
        on
            {{ same_keys('episodes', 'accepted_changes', ['dimension_name', 'dimension_value']) }}
            and accepted_changes.from_day
            between {{ add_days('episodes.since', -scan_constants().gap_days) }}
            and {{ add_days('episodes.last_alarm_on', scan_constants().gap_days) }}
),

measured as (
    select
        episodes.*,
        concat(
            dimensions.dimension_label, ': ',
            case
                when policies.policy_id is not null then policies.policy_name
                when queues.queue_id is not null
                    then concat(
                        queues.queue_name,
                        substr(episodes.dimension_value, length(queues.queue_id) + 1)
                    )
                else episodes.dimension_value
            end
        ) as slice_label,
        led.explained_by,
        led.incident_id,
        impact.excess_wrong_decisions,
        impact.excess_standard_error,
        {% for side in ['before', 'now'] -%}
        impact.accuracy_{{ side }},
        impact.accuracy_{{ side }}_ci_low,
        impact.accuracy_{{ side }}_ci_high,
        {% endfor -%}
        kinds.suspected_kind,
        kinds.is_data_suspect,
        accepted.episode_id is not null as is_accepted,
        {{ days_between('episodes.window_ends_on', 'as_of.as_of_on') }}
        < {{ var('audits_due_days') }} as is_provisional,
        {{ days_between('episodes.last_alarm_on', 'last_day.scanned_until') }}
        <= {{ scan_constants().gap_days }}
        -- Over where they have other errors than the alarm's ratio leads to expect, beyond chance.
        and coalesce(
            2 * (
                sqrt(recent.n_errors)
                - sqrt(
                    episodes.ratio * recent.risk_errors
                    * (episodes.n_baseline_errors + {{ scan_constants().slice_errors }})
                    / (episodes.baseline_risk_errors + {{ scan_constants().slice_errors }})
                )
            )
            * case when episodes.direction = 'worse' then 1 else -1 end
            > -1.645,
            true
        ) as is_going_on,
        -- On the scale of logarithms, what the errors of both sides can be off.
        sqrt(
            episodes.sampling_variance
            * (
                1 / cast(nullif(episodes.n_errors, 0) as double)
                + 1 / (
                    cast(episodes.n_baseline_errors as double)
                    + {{ scan_constants().slice_errors }}
                )
            )
        ) as ratio_error
    from episodes
    cross join as_of
    cross join last_day
    inner join led on episodes.episode_id = led.episode_id
    inner join impact on episodes.episode_id = impact.episode_id
    inner join kinds on episodes.episode_id = kinds.episode_id
    left join recent
        on {{ same_keys('episodes', 'recent', ['dimension_name', 'dimension_value']) }}
    inner join dimensions on episodes.dimension_name = dimensions.dimension_name
    -- A pair begins with its queue.
    left join queues
        on
            episodes.dimension_name like 'queue%'
            and (
                episodes.dimension_value = queues.queue_id
                or episodes.dimension_value like concat(queues.queue_id, ' | %')
            )
    left join policies
        on
            episodes.dimension_name like '%policy%'
            and episodes.dimension_value = policies.policy_id
    left join accepted on episodes.episode_id = accepted.episode_id
)

select
    episode_id as alert_id,
    incident_id,
    explained_by,
    direction,
    dimension_name,
    dimension_value,
    slice_label,
    suspected_kind,
    case when abs(z) >= {{ var('strong_z') }} then 'strong' else 'alert' end as alert_level,
    case
        when is_accepted then 'accepted'
        when is_data_suspect then 'data_suspect'
        when is_going_on and is_provisional then 'provisional'
        when is_going_on then 'open'
        when {{ days_between('since', 'last_alarm_on') }} >= {{ var('scan_baseline_days') }}
            then 'absorbed'
        else 'closed'
    end as alert_status,
    is_data_suspect,
    since,
    first_alarm_on,
    last_alarm_on,
    window_starts_on,
    window_ends_on,
    window_days,
    n_people,
    n_audits,
    n_errors,
    expected_errors,
    ratio,
    exp(ln(nullif(ratio, 0)) - {{ z_value() }}e0 * ratio_error) as ratio_ci_low,
    exp(ln(nullif(ratio, 0)) + {{ z_value() }}e0 * ratio_error) as ratio_ci_high,
    {% for side in ['before', 'now'] -%}
    accuracy_{{ side }},
    accuracy_{{ side }}_ci_low,
    accuracy_{{ side }}_ci_high,
    {% endfor -%}
    z,
    q_value,
    excess_wrong_decisions,
    excess_wrong_decisions - {{ z_value() }}e0 * excess_standard_error as excess_ci_low,
    excess_wrong_decisions + {{ z_value() }}e0 * excess_standard_error as excess_ci_high,
    (excess_wrong_decisions - {{ z_value() }}e0 * excess_standard_error) / window_days
        as excess_per_day_ci_low
from measured
