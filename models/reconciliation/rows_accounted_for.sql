{% set ranked = [
    'queues', 'policies', 'roster', 'sampling_frame', 'audits', 'disputes',
    'calibration_ratings', 'appeals', 'decision_policies', 'statements_of_reasons',
    'control_totals',
] %}

with counted as (
    {% for table in ranked -%}
    {{ count_rows_by_fate(table) }}
    union all
    {% endfor %}
    {{ count_revisions_by_fate(
        'decisions', ref('int_deliveries__decision_revisions'),
        kept='(select count(*) from ' ~ ref('fct_decisions') ~ ')'
    ) }}
    union all
    -- No table has the last revision of each job alone: those superseded are taken off.
    {{ count_revisions_by_fate(
        'review_jobs', ref('int_deliveries__job_revisions'),
        kept='(select count(*) from ' ~ ref('base_review_jobs') ~ ') - max(repeated.n_superseded)'
    ) }}
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
