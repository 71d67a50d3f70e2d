with peaks as (
    select * from {{ ref('int_monitoring__peaks') }}
),

first_days as (
    select * from {{ ref('int_monitoring__first_days') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

audits as (
    select
        peaks.episode_id,
        slices.audit_id,
        slices.moderator_key
    from peaks
    inner join slices
        on
            {{ same_keys('peaks', 'slices', ['dimension_name', 'dimension_value']) }}
            and slices.decided_on between peaks.window_starts_on and peaks.window_ends_on
    where {{ computed_once() }}
),

-- Nothing is told of few people by taking counts off those of another alarm of the same days: the
-- counts of all alarms of a dimension, which share no audit.
inside as (
    select
        wholes.episode_id as whole_id,
        wholes.z as whole_z,
        parts.episode_id as part_id,
        parts.z as part_z,
        parts.dimension_name
    from peaks as wholes
    inner join peaks as parts
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

wholes as (
    select distinct
        whole_id,
        dimension_name
    from inside
),

few_left as (
    select
        wholes.whole_id,
        wholes.dimension_name
    from wholes
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
)

select
    peaks.episode_id,
    peaks.dimension_name,
    peaks.dimension_value,
    peaks.direction,
    peaks.first_alarm_on,
    peaks.last_alarm_on,
    peaks.window_starts_on,
    peaks.window_ends_on,
    peaks.window_days,
    peaks.n_people,
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
    peaks.q_value,
    first_days.since
from peaks
inner join first_days on peaks.episode_id = first_days.episode_id
left join told_by_subtraction on peaks.episode_id = told_by_subtraction.episode_id
where told_by_subtraction.episode_id is null
