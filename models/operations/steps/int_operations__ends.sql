{% set verdicts = ['met', 'met_by_auto_close', 'breached', 'not_due'] -%}
{% set measures = {} -%}
{% for name in verdicts -%}
{%- do measures.update({
    'n_' ~ name: "cast(sum(case when verdict = '" ~ name ~ "' then 1 else 0 end) as bigint)",
}) -%}
{% endfor -%}

{% set dimensions, more = job_dimensions(), ['waited_seconds'] -%}
{% set counts = {'n': 'cast(count(*) as bigint)'} -%}
{% set no_verdicts, all_verdicts = [], [] -%}
{% for name in verdicts -%}
{% do no_verdicts.append('cast(null as bigint) as n_' ~ name) -%}
{% do all_verdicts.append('n_' ~ name) -%}
{% endfor %}
-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
with jobs as {{ read_anew() }} (
    select *
    from {{ ref('fct_jobs') }}
    where left_out_reason is null
),

closed as (
    select
        *,
        {{ wait_step('wait_seconds') }} as waited_seconds
    from jobs
    where not is_open
),

due as (
    select * from jobs
    where due_on is not null
),

by_closing as (
    {{ sums_by_week_and_month('closed', 'closed_on', dimensions, counts, more) }} -- noqa: PRS
),

by_due as (
    {{ sums_by_week_and_month('due', 'due_on', dimensions, measures) }} -- noqa: PRS
)

select
    'closed' as anchor,
    week_starts_on,
    month_starts_on,
    dimension_name,
    dimension_value,
    waited_seconds as wait_seconds,
    n,
    {{ no_verdicts | join(',\n    ') }}
from by_closing
union all
select
    'due' as anchor,
    week_starts_on,
    month_starts_on,
    dimension_name,
    dimension_value,
    cast(null as bigint) as wait_seconds,
    cast(null as bigint) as n,
    {{ all_verdicts | join(',\n    ') }}
from by_due
