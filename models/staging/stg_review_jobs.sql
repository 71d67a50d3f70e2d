with revisions as (
    select * from {{ ref('base_review_jobs') }}
),

repeated as (
    select
        job_id,
        max(recorded_at) as last_recorded_at
    from {{ ref('int_deliveries__job_revisions') }}
    group by job_id
)

select
    revisions.job_id,
    revisions.item_id,
    revisions.item_type,
    revisions.queue_id,
    revisions.enqueue_reason,
    revisions.item_created_at,
    revisions.enqueued_at,
    revisions.language,
    revisions.region,
    revisions.priority,
    revisions.views_at_enqueue,
    revisions.source_system,
    revisions.recorded_at
from revisions
left join repeated on revisions.job_id = repeated.job_id
where coalesce(revisions.recorded_at = repeated.last_recorded_at, true)
