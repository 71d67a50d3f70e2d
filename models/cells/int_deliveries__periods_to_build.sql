{%- set decisions = ref('base_decisions') -%}
{%- set ratings = raw('calibration_ratings') -%}
{%- set frame = raw('sampling_frame') -%}
{#- Here, and not where it is used: dbt looks for refs in a full build. -#}
{%- set roster_periods = changed_periods('roster') -%}
{%- set replaced -%}
    select supersedes_decision_id as decision_id
    from {{ decisions }}
    where
        supersedes_decision_id is not null
        and {{ in_days_to_build('decided', 'decided_on') }}
{%- endset -%}

with days_to_build as (
    select * from {{ ref('int_deliveries__days_to_build') }}
),

raw_days as (
    select * from {{ ref('int_deliveries__raw_days') }}
),

decisions as {{ read_anew() }} (
    select * from {{ decisions }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- All that an audit has said, and when: it may have moved to another day.
audit_revisions as (
    select * from {{ ref('base_audits') }}
),

{% if is_full_build() -%}
changed_roster as (
    select
        timestamp '1970-01-01 00:00:00' as begins_at,
        timestamp '9999-12-31 00:00:00' as ends_at
),

{% else -%}
changed_roster as (
    {{ roster_periods }}
),

{% endif -%}
-- The first decision that replaces another says that the source records it, of all days.
replacing as (
    select
        min(case when {{ in_days_to_build('decided', 'decided_on') }} then 1 else 0 end) = 1
            as is_first
    from decisions
    where supersedes_decision_id is not null
),

-- A frame that comes after the last one says which decisions wait for theirs no longer, or now do.
frame_ends as (
    select
        max(case when not raw_days.is_pending then sampling_frame.period_end end)
            as last_end_before,
        max(sampling_frame.period_end) as last_end
    from ({{ frame }}) as sampling_frame
    inner join raw_days
        on
            raw_days.table_name = 'sampling_frame'
            and {{ recorded_on('sampling_frame.recorded_at') }} = raw_days.recorded_on
    where {{ known_as_of('sampling_frame.recorded_at') }}
),

-- Who is on the roster says how few people a period is about, also on days without a decision.
roster_days as (
    select all_days.calendar_date
    from (
        {{ date_series(
            '(select ' ~ add_days('min(decided_on)', -92) ~ ' from decisions)',
            '(select ' ~ add_days(reporting_date('as_of'), 92) ~ ' from as_of)'
        ) }}
    ) as all_days
    inner join changed_roster as periods
        on {{ touches_day('periods.begins_at', 'periods.ends_at', 'all_days.calendar_date') }}
),

decided_days as (
    {{ date_series(
        '(select min(decisions.decided_on) from decisions)',
        '(select max(decisions.decided_on) from decisions)'
    ) }}
),

published as (
    select built_on
    from days_to_build
    where day_set = 'judged' and built_on <> date '1970-01-01'
    union
    select calendar_date as built_on
    from roster_days
    union
    select all_days.calendar_date as built_on
    from decided_days as all_days
    inner join frame_ends
        on
            frame_ends.last_end_before is distinct from frame_ends.last_end
            and (
                frame_ends.last_end_before is null
                or all_days.calendar_date >= {{ reporting_date('frame_ends.last_end_before') }}
            )
    {% if not is_full_build() -%}
    union
    select decisions.decided_on as built_on
    from decisions
    where
        {{ in_range_of('decisions.decision_id', replaced) }}
        and decisions.decision_id in ({{ replaced }})
    {% endif -%}
    union
    select all_days.calendar_date as built_on
    from decided_days as all_days
    cross join replacing
    where replacing.is_first
),

judged_again as (
    select audit_id
    from audits
    where {{ in_days_to_build('judged', "coalesce(decided_on, date '1970-01-01')") }}
),

calibrated as (
    select
        item_id,
        {{ reporting_date('rated_at') }} as rated_on,
        {{ in_days_to_build('calibration_ratings', recorded_on()) }} as is_new
    from ({{ ratings }}) as calibration_ratings
    where {{ known_as_of() }}
),

-- All ratings of an item: which of a rater's is a repeat hangs on the others.
calibrated_again as (
    select calibrated.item_id
    from calibrated
    left join changed_roster as periods
        on {{ touches_day('periods.begins_at', 'periods.ends_at', 'calibrated.rated_on') }}
    where calibrated.is_new or periods.begins_at is not null
),

rated as (
    select {{ reporting_date('audited_at') }} as built_on
    from audit_revisions
    where audit_id in (select judged_again.audit_id from judged_again)
    union
    select calendar_date as built_on
    from roster_days
    union
    select rated_on as built_on
    from calibrated
    where item_id in (select calibrated_again.item_id from calibrated_again)
)

{% set sets = {
    'published': ('published', ['day', 'week', 'month']),
    'rated': ('rated', ['week', 'month']),
} -%}
{% for day_set, (days, period_types) in sets.items() -%}
select distinct
    '{{ day_set }}' as day_set,
    {{ period_start('touched.built_on') }}
        as built_on
from {{ days }} as touched
cross join (
    values
    {% for name in period_types -%}
    ('{{ name }}'){{ ',' if not loop.last }}
    {% endfor %}
) as period_types (period_type)
where touched.built_on is not null
union
{% endfor -%}
-- Four weeks of which a week is touched.
select distinct
    'published' as day_set,
    four_weeks_start_on as built_on
from ({{ in_four_weeks('published', week_start('built_on')) }}) as weeks
where built_on is not null
