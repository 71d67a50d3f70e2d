{%- set slice = ['dimension_name', 'dimension_value', 'direction'] -%}
{%- set from_day_on = 'partition by episode_id order by decided_on desc'
    ~ ' rows between unbounded preceding and current row' -%}

with scan as (
    select * from {{ ref('int_monitoring__scan') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
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
            and slices.decided_on between peaks.window_starts_on and peaks.window_ends_on
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

-- Nor by taking the counts of alarms off those of another with the same days: all of a dimension,
-- which share no audit.
inside as (
    select
        wholes.episode_id as whole_id,
        wholes.z as whole_z,
        parts.episode_id as part_id,
        parts.z as part_z,
        parts.dimension_name
    from shown as wholes
    inner join shown as parts
        on
            {{ same_keys('wholes', 'parts', ['window_starts_on', 'window_ends_on']) }}
            and wholes.episode_id <> parts.episode_id
    inner join audits on parts.episode_id = audits.episode_id
    left join audits as of_whole
        on wholes.episode_id = of_whole.episode_id and audits.audit_id = of_whole.audit_id
    where {{ computed_once() }}
    group by wholes.episode_id, wholes.z, parts.episode_id, parts.z, parts.dimension_name
    having count(*) = count(of_whole.audit_id)
),

subtracted as (
    select
        inside.whole_id,
        inside.dimension_name,
        audits.audit_id
    from inside
    inner join audits on inside.part_id = audits.episode_id
),

few_left as (
    select
        wholes.whole_id,
        wholes.dimension_name
    from (select distinct whole_id, dimension_name from inside) as wholes
    inner join audits on wholes.whole_id = audits.episode_id
    left join subtracted
        on
            {{ same_keys('wholes', 'subtracted', ['whole_id', 'dimension_name']) }}
            and audits.audit_id = subtracted.audit_id
    where subtracted.audit_id is null
    group by wholes.whole_id, wholes.dimension_name
    having count(distinct audits.moderator_key) between 1 and {{ var('min_people') }} - 1
),

-- The weakest of them is not listed.
involved as (
    select
        whole_id,
        dimension_name,
        part_id as episode_id,
        abs(part_z) as size
    from inside
    union
    select
        whole_id,
        dimension_name,
        whole_id as episode_id,
        abs(whole_z) as size
    from inside
),

weakest_first as (
    select
        involved.episode_id,
        row_number() over (
            partition by involved.whole_id, involved.dimension_name
            order by involved.size, involved.episode_id
        ) as size_rank
    from involved
    inner join few_left
        on {{ same_keys('involved', 'few_left', ['whole_id', 'dimension_name']) }}
),

told_by_subtraction as (
    select distinct episode_id
    from weakest_first
    where size_rank = 1
),

days as (
    select
        shown.episode_id,
        daily.decided_on,
        sum(daily.n_errors) as n_errors,
        {{ exact_sum('daily.n_audits * rates.risk_rate') }} as risk_errors
    from shown
    inner join daily
        on
            {{ same_keys('shown', 'daily', slice[:2]) }}
            and shown.window_ends_on >= daily.decided_on
            and {{ days_between('daily.decided_on', 'shown.window_ends_on') }}
            < {{ var('scan_windows') | max }}
    inner join rates
        on
            {{ same_keys('shown', 'rates', ['window_ends_on', 'window_days']) }}
            and daily.risk_cell = rates.risk_cell
    group by shown.episode_id, daily.decided_on
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
        from_day_on.risk_errors * shown.expected_errors / shown.risk_errors as expected_errors
    from from_day_on
    inner join shown on from_day_on.episode_id = shown.episode_id
    where
        (shown.direction = 'worse')
        = (from_day_on.n_errors * shown.risk_errors > from_day_on.risk_errors * shown.expected_errors)
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
    shown.episode_id,
    shown.{{ slice | join(', shown.') }},
    shown.first_alarm_on,
    shown.last_alarm_on,
    shown.window_starts_on,
    shown.window_ends_on,
    shown.window_days,
    ranked_days.since,
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
inner join ranked_days
    on shown.episode_id = ranked_days.episode_id and ranked_days.day_rank = 1
left join told_by_subtraction on shown.episode_id = told_by_subtraction.episode_id
where told_by_subtraction.episode_id is null
