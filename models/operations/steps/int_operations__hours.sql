{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set hours = {} -%}
{#- Each ratio over the person-days that have both of its sides. -#}
{% for name, expression in {
    'n_person_days': '1',
    'n_productive_days': one_where('productive_seconds > 0 and n_decisions > 0'),
    'n_decisions_in_hours': 'case when productive_seconds > 0 then n_decisions else 0 end',
    'decided_in_seconds':
        'case when productive_seconds > 0 and n_decisions > 0 then productive_seconds else 0 end',
    'occupied_seconds': 'case when productive_seconds > 0 then productive_seconds else 0 end',
    'utilised_seconds': 'case when paid_seconds > 0 then productive_seconds else 0 end',
    'utilised_paid_seconds':
        'case when productive_seconds is not null then paid_seconds else 0 end',
    'wellness_seconds': 'case when paid_seconds > 0 then wellness_seconds else 0 end',
    'wellness_paid_seconds': 'case when wellness_seconds is not null then paid_seconds else 0 end',
    'n_wellness_days': one_where('wellness_seconds is not null and paid_seconds > 0'),
}.items() -%}
{% do hours.update({name: 'cast(sum(' ~ expression ~ ') as bigint)'}) -%}
{% endfor -%}
{% do hours.update({'handled_seconds': exact_sum(
    'case when productive_seconds > 0 then all_handling_seconds else 0e0 end', bits=40)}) -%}

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
with shifts as (
    select
        *,
        'human' as decided_by_type
    from {{ ref('int_people__hours_by_day') }}
),

shift_cells as (
    {{ sums_by_week_and_month('shifts', 'work_date', shift_dimensions(), hours) }} -- noqa: PRS
),

in_periods as (
    {{ in_weeks_and_months('shift_cells') }}
)

select
    {{ group | join(',\n    ') }},
    {% for name in hours if name != 'handled_seconds' -%}
    cast(sum({{ name }}) as bigint) as {{ name }},
    {% endfor -%}
    {{ exact_sum('handled_seconds', bits=40) }} as handled_seconds
from in_periods
group by {{ group | join(', ') }}
