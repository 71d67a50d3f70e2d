{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'person_key',
    'period_ends_on',
] %}

with cells as (
    select * from {{ ref('quality_cells') }}
    where dimension_name = 'overall' and person_key not in ('unknown', 'not_applicable')
),

metrics as (
    select * from {{ ref('metrics') }}
),

counted as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        cells.n_successes,
        cells.n,
        1 as n_people,
        metrics.min_n,
        cast(null as string) as suppression_code
    from cells
    inner join metrics
        on
            cells.metric_id = metrics.metric_id
            and cells.metric_version = metrics.metric_version
),

published as (
    {{ publish_share('counted', keys) }}
)

select
    *,
    n >= {{ var('min_effective_n_to_rank') }} as is_rankable
from published
