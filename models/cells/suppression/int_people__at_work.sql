{#- By whom the work of each group was done, in each part of a month that open marts tell apart. -#}
{% set of_decisions, of_audits = {}, {} -%}
{% for name in suppressed_dimensions() -%}
{% do of_audits.update({name: 'cast(null as string)' if name in dimensions_of_shares()
    else reporting_dimensions()[name] or name}) -%}
{% do of_decisions.update({name: of_audits[name] if name in roster_dimensions()
    else 'cast(null as string)'}) -%}
{% endfor -%}
{#- Handling times and hours, of everybody in a queue or language too. -#}
{% set of_work, of_hours = {}, {} -%}
{% for name in of_decisions -%}
{% do of_work.update({name: {
    'overall': "'all'",
    'queue': "coalesce(queue_id, 'unknown')",
    'language': "coalesce(language, 'unknown')",
    'policy': "coalesce(reported_policy_id, 'unknown')",
}.get(name, 'cast(null as string)')}) -%}
{% do of_hours.update({name: "'all'" if name == 'overall' else 'cast(null as string)'}) -%}
{% endfor -%}
{% set of_counted = "('decided', 'measured', 'on_shift')" -%}
{% set heads = [
    ('accuracy', 'decided', 'decisions', of_decisions, 'true'),
    ('scores', 'decided', 'decisions', of_decisions, 'true'),
    ('accuracy', 'measured', 'work', of_decisions, 'n_measured > 0'),
    ('accuracy', 'on_shift', 'shifts', of_decisions, 'true'),
    ('workload', 'decided', 'work', of_work, 'true'),
    ('workload', 'measured', 'work', of_work, 'n_measured > 0'),
    ('workload', 'on_shift', 'shifts', of_hours, 'true'),
    ('accuracy', 'audited', 'audits', of_audits, 'is_in_rates'),
    ('accuracy', 'compared', 'audits', of_audits, 'is_compared'),
    ('scores', 'audited', 'audits', of_audits, 'is_reviewed'),
] -%}

with decisions as (
    select
        *,
        'human' as decided_by_type
    from {{ ref('int_people__decisions_by_day') }}
),

work as (
    select
        *,
        'human' as decided_by_type
    from {{ ref('int_people__work_by_day') }}
),

shifts as (
    select
        person_key as moderator_key,
        work_date as decided_on,
        site,
        vendor,
        team_id,
        'human' as decided_by_type
    from {{ ref('int_people__hours_by_day') }}
),

bands as (
    select
        audit_id,
        tenure_band_at_decision
    from {{ ref('int_people__audits') }}
),

reviews as (
    select distinct audit_id
    from {{ ref('int_scores__ratings') }}
    where exclusion_reason is null
),

audits as (
    select
        of_people.*,
        bands.tenure_band_at_decision as tenure_band,
        coalesce(of_people.exclusion_reason, 'no_frame') = 'no_frame' as is_in_rates,
        of_people.is_counted and of_people.error_class <> 'technical' as is_compared,
        reviews.audit_id is not null as is_reviewed
    from {{ ref('fct_audits') }} as of_people
    left join bands on of_people.audit_id = bands.audit_id
    left join reviews on of_people.audit_id = reviews.audit_id
    where of_people.decided_by_type = 'human'
),

people_periods as (
    select * from {{ ref('int_people__periods') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

last_days as (
    select *
    from people_periods
    where period_type = 'trailing'
),

-- Who is not known may be one person.
people as (
    {% for basis, head_of, relation, columns, condition in heads -%}
    select
        '{{ basis }}' as basis,
        '{{ head_of }}' as head_of,
        coalesce(moderator_key, 'unknown') as person_key,
        {% for name, expression in columns.items() -%}
        {{ expression }} as {{ name }},
        {% endfor -%}
        decided_on as worked_on
    from {{ relation }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

scopes_of_weeks as (
    {{ scopes_of_weeks('calendar', 'as_of') }}
),

-- A month less its whole weeks, and a trailing window less its whole months, leave some days.
parts as (
    select
        'month' as period_type,
        month_starts_on as scope_starts_on,
        'all' as part,
        calendar_date as worked_on
    from calendar
    union all
    select
        'week' as period_type,
        scopes_of_weeks.scope_starts_on,
        cast(calendar.week_starts_on as string) as part,
        calendar.calendar_date as worked_on
    from calendar
    inner join scopes_of_weeks on calendar.week_starts_on = scopes_of_weeks.week_starts_on
    union all
    select
        'week' as period_type,
        month_starts_on as scope_starts_on,
        'rest' as part,
        calendar_date as worked_on
    from calendar
    where week_starts_on < month_starts_on or week_ends_on > month_ends_on
    union all
    select
        'day' as period_type,
        month_starts_on as scope_starts_on,
        cast(calendar_date as string) as part,
        calendar_date as worked_on
    from calendar
    union all
    select
        'trailing' as period_type,
        period_starts_on as scope_starts_on,
        'all' as part,
        calendar_date as worked_on
    from last_days
    union all
    select
        'trailing' as period_type,
        last_days.period_starts_on as scope_starts_on,
        'rest' as part,
        last_days.calendar_date as worked_on
    from last_days
    inner join calendar on last_days.calendar_date = calendar.calendar_date
    where
        calendar.month_starts_on < last_days.period_starts_on
        or calendar.month_ends_on > last_days.period_ends_on
)

select distinct
    people.basis,
    parts.period_type,
    parts.scope_starts_on,
    parts.part,
    people.head_of,
    {% for name in suppressed_dimensions() -%}
    people.{{ name }},
    {% endfor -%}
    people.person_key
from people
inner join parts on people.worked_on = parts.worked_on
where
    -- Nothing of what few audits found is published of days in no whole week.
    (people.head_of in {{ of_counted }} or parts.part <> 'rest')
    -- Nothing is published of groups of people by day.
    and (
        people.head_of not in {{ of_counted }} or parts.period_type <> 'day'
    )
union all
select
    {% for name in suppressed_group_keys()[:3] + ['part', 'head_of'] + suppressed_dimensions() -%}
    {{ name }},
    {% endfor -%}
    person_key
from {{ ref('int_people__at_work_in_shares') }}
