{% set audit_counts = ['n_audits'] + error_counts() %}
{% set counts = ['n_decisions'] + audit_counts %}

with decisions as (
    select * from {{ ref('fct_decisions') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

daily_decisions as (
    {{ by_dimension(
        'decisions', ['decided_on', 'stratum_key', 'exclusion_reason'], ['n_decisions']) }}
),

daily_audits as (
    {{ by_dimension(
        'audits', ['decided_on', 'stratum_key', 'exclusion_reason'], audit_counts) }}
),

daily as (
    select
        decided_on,
        stratum_key,
        exclusion_reason,
        dimension_name,
        dimension_value,
        n_decisions,
        {% for count in audit_counts -%}
        0 as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from daily_decisions
    union all
    select
        decided_on,
        stratum_key,
        exclusion_reason,
        dimension_name,
        dimension_value,
        0 as n_decisions,
        {{ audit_counts | join(', ') }}
    from daily_audits
),

periods as (
    select
        calendar_date,
        'day' as period_type,
        calendar_date as period_starts_on,
        calendar_date as period_ends_on
    from calendar
    union all
    select
        calendar_date,
        'week' as period_type,
        week_starts_on as period_starts_on,
        week_ends_on as period_ends_on
    from calendar
    union all
    select
        calendar_date,
        'month' as period_type,
        month_starts_on as period_starts_on,
        month_ends_on as period_ends_on
    from calendar
)

select
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    daily.dimension_name,
    daily.dimension_value,
    daily.stratum_key,
    daily.exclusion_reason,
    {% for count in counts -%}
    cast(sum(daily.{{ count }}) as bigint) as {{ count }}{{ ',' if not loop.last }}
    {% endfor %}
from daily
inner join periods on daily.decided_on = periods.calendar_date
group by
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    daily.dimension_name,
    daily.dimension_value,
    daily.stratum_key,
    daily.exclusion_reason
