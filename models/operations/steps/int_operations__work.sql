{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set counts = ['n_decisions', 'n_skips', 'n_closings', 'n_measured', 'n_capped', 'n_zero'] -%}
{% set sums = {'handling_seconds': exact_sum('handling_seconds', bits=40)} -%}
{% for name in counts -%}
{% do sums.update({name: 'cast(sum(' ~ name ~ ') as bigint)'}) -%}
{% endfor -%}

{% set dimensions = workload_dimensions() %}
-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
with work as (
    select
        *,
        'human' as decided_by_type
    from {{ ref('int_people__work_by_day') }}
),

work_cells as (
    {{ sums_by_week_and_month('work', 'decided_on', dimensions, sums) }} -- noqa: PRS
),

in_periods as (
    {{ in_weeks_and_months('work_cells') }}
)

select
    {{ group | join(',\n    ') }},
    {% for name in counts -%}
    cast(sum({{ name }}) as bigint) as {{ name }},
    {% endfor -%}
    {{ exact_sum('handling_seconds', bits=40) }} as handling_seconds
from in_periods
group by {{ group | join(', ') }}
