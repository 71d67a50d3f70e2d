{% set staged = [
    'queues', 'policies', 'roster', 'review_jobs', 'decisions', 'sampling_frame', 'audits',
    'disputes',
] %}

with counted as (
    {% for table in staged -%}
    {{ count_rows_by_fate(table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    table_name,
    cast(n_delivered as bigint) as n_delivered,
    cast(n_recorded_after_as_of as bigint) as n_recorded_after_as_of,
    cast(n_exact_duplicates as bigint) as n_exact_duplicates,
    cast(n_superseded_by_correction as bigint) as n_superseded_by_correction,
    cast(n_kept as bigint) as n_kept,
    cast(
        n_delivered - n_recorded_after_as_of - n_exact_duplicates - n_superseded_by_correction
        - n_kept as bigint
    ) as n_unaccounted
from counted
