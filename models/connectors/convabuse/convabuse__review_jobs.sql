with labels as (
    select * from {{ ref('convabuse__labels') }}
)

select distinct
    item_id as job_id,
    item_id,
    'text' as item_type,
    bot as queue_id,
    'sample' as enqueue_reason,
    cast('2021-11-07' as timestamp) as enqueued_at,
    'en' as language,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
from labels
