with labels as (
    select * from {{ ref('hatecheck__labels') }}
)

-- Classes that test for text which only looks hateful are where a wrong removal is likely, and
-- where a quality team would look hardest.
select
    functional_class as queue_id,
    functional_class as queue_name,
    case when bool_and(is_violating) then 'low' else 'high' end as risk_tier,
    cast('2021-08-01' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'hatecheck' as source_system,
    cast('2021-08-01' as timestamp) as recorded_at
from labels
group by functional_class
