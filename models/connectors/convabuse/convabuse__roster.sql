with labels as (
    select * from {{ ref('convabuse__labels') }}
)

select distinct
    annotator_id as person_id,
    'expert' as role,
    'en' as language,
    cast('2021-11-07' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
from labels
