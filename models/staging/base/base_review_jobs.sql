{{ built_by_days('review_jobs', 'recorded_on') }}

with delivered as (
    {{ revisions('review_jobs', ref('int_deliveries__job_revisions')) }}
)

select
    job_id,
    item_id,
    nullif(item_type, '') as item_type,
    nullif(queue_id, '') as queue_id,
    enqueue_reason,
    item_created_at,
    enqueued_at,
    nullif(language, '') as language,
    nullif(region, '') as region,
    priority,
    views_at_enqueue,
    nullif(reported_policy_id, '') as reported_policy_id,
    coalesce(is_job_made, false) as is_job_made,
    source_system,
    recorded_at,
    {{ recorded_on() }} as recorded_on
from delivered
