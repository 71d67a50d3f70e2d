with latest as (
    {{ last_recorded(
        'review_jobs', ref('base_review_jobs'), ref('int_deliveries__job_revisions')
    ) }}
)

select
    job_id,
    item_id,
    item_type,
    queue_id,
    enqueue_reason,
    item_created_at,
    enqueued_at,
    language,
    region,
    priority,
    views_at_enqueue,
    reported_policy_id,
    is_job_made,
    source_system,
    recorded_at
from latest
