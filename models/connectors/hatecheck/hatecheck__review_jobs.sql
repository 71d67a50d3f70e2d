with labels as (
    select * from {{ ref('hatecheck__labels') }}
)

select distinct
    item_id as job_id,
    item_id,
    'text' as item_type,
    functional_class as queue_id,
    'sample' as enqueue_reason,
    cast('2021-08-01' as timestamp) as enqueued_at,
    'en' as language,
    'hatecheck' as source_system,
    cast('2021-08-01' as timestamp) as recorded_at
from labels
