with decisions as (
    select * from {{ ref('audit_sheet__decisions') }}
)

select
    job_id,
    item_id,
    queue_id,
    decided_at as enqueued_at,
    source_system,
    recorded_at
from decisions
