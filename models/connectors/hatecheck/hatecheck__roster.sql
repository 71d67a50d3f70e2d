with labels as (
    select * from {{ ref('hatecheck__labels') }}
)

select distinct
    annotator_id as person_id,
    'moderator' as role,
    'en' as language,
    cast('2021-08-01' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'hatecheck' as source_system,
    cast('2021-08-01' as timestamp) as recorded_at
from labels
