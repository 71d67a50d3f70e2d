{% set tables = [
    'base_decisions', 'base_review_jobs', 'stg_audits', 'stg_disputes',
    'stg_sampling_frame', 'stg_policies', 'stg_queues', 'stg_roster', 'stg_audit_scores',
    'stg_golden_results', 'stg_calibration_ratings', 'stg_appeals',
] %}

with latest as (
    {% for table in tables -%}
    select max(recorded_at) as recorded_at from {{ ref(table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(
        {{ given_as_of() if var('as_of') else 'cast(null as timestamp)' }},
        max(recorded_at)
    ) as as_of
from latest
