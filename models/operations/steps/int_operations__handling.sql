{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{#- A median of all is not one of medians by day: it is taken from counts by value. -#}
{%- set dimensions, counts = handling_dimensions(), {'n': 'count(*)'} -%}
{%- set more = ['capped_seconds'] %}

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
with measured as (
    select
        decided_on,
        queue_id,
        language,
        site,
        vendor,
        team_id,
        decided_by_type,
        least(handling_seconds, {{ var('handling_cap_seconds') }}) as capped_seconds
    from {{ ref('fct_decisions') }}
    where decided_by_type = 'human' and is_eligible and handling_seconds is not null
),

cells as (
    {{ sums_by_week_and_month('measured', 'decided_on', dimensions, counts, more) }} -- noqa: PRS
),

in_periods as (
    {{ in_weeks_and_months('cells') }}
),

by_value as (
    select
        {{ group | join(', ') }},
        capped_seconds,
        sum(n) as n
    from in_periods
    group by {{ group | join(', ') }}, capped_seconds
),

ranked as (
    {{ ranked_counts('by_value', group, 'capped_seconds') }}
)

select
    {{ group | join(', ') }},
    {{ ranked_quantile(0.5, 'capped_seconds') }} as handling_seconds_median,
    {{ ranked_quantile(0.9, 'capped_seconds') }} as handling_seconds_p90
from ranked
group by {{ group | join(', ') }}
