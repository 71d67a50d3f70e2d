with labels as (
    select * from {{ ref('convabuse__labels') }}
)

select distinct
    bot as queue_id,
    bot as queue_name,
    cast('2021-11-07' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
from labels
