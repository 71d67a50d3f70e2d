-- Each of these days is in a period; a rating may come after the last decision, and a job be due.
{% set days = [
    ('dim_calendar', 'calendar_date'),
    ('int_verdicts__audits', 'audited_on'),
    ('int_agreement__ratings', 'rated_on'),
    ('int_golden__servings', 'served_on'),
    ('fct_jobs', 'enqueued_on'),
    ('fct_jobs', 'closed_on'),
    ('fct_jobs', 'due_on'),
] -%}

with as_of as (
    select
        as_of,
        {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

known_days as (
    {% for model, day in days -%}
    select
        min({{ day }}) as first_day,
        max({{ day }}) as last_day
    from {{ ref(model) }}
    union all
    {% endfor -%}
    select
        today as first_day,
        today as last_day
    from as_of
),

bounds as (
    select
        min(first_day) as first_day,
        max(last_day) as last_day
    from known_days
),

days as (
    {{ date_series('(select first_day from bounds)', '(select last_day from bounds)') }}
),

periods as (
    select distinct
        period_type,
        period_starts_on,
        period_ends_on
    from (
        {{ by_period('days', 'calendar_date', types=['day'] + rare_period_types()) }}
    ) as of_days
    union all
    select distinct
        'four_weeks' as period_type,
        four_weeks_start_on as period_starts_on,
        four_weeks_end_on as period_ends_on
    from ({{ in_four_weeks('days', week_start('calendar_date')) }}) as weeks
    union all
    select
        'trailing' as period_type,
        {{ add_days('today', 1 - var('people_window_days')) }} as period_starts_on,
        today as period_ends_on
    from as_of
),

dated as (
    select
        periods.*,
        as_of.as_of,
        as_of.today,
        -- Four weeks that begin before all others have fewer.
        periods.period_ends_on < as_of.today
        and (
            periods.period_type <> 'four_weeks'
            or periods.period_starts_on >= (select {{ week_start('first_day') }} from bounds)
        ) as is_complete,
        case
            when periods.period_type = 'four_weeks'
                then {{ add_days('periods.period_ends_on', -6) }}
            else periods.period_starts_on
        end as begun_on,
        row_number() over (
            partition by periods.period_type order by periods.period_starts_on
        ) as nth
    from periods
    cross join as_of
)

select
    period_type,
    period_starts_on,
    period_ends_on,
    {{ period_label() }} as period_label,
    is_complete,
    coalesce(
        period_starts_on = max(case when is_complete then period_starts_on end)
            over (partition by period_type),
        false
    ) as is_last_complete_period,
    {{ period_status('period_ends_on', 'as_of', var('accuracy_maturity_days')) }}
        as accuracy_status,
    {{ period_status('period_ends_on', 'as_of', var('overturn_maturity_days')) }}
        as overturn_status,
    cast(
        max(case when begun_on <= today then nth end) over (partition by period_type) - nth
        as bigint
    ) as periods_ago,
    as_of
from dated
