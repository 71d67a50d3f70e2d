with labels as (
    select * from {{ ref('hatecheck__labels') }}
),

policies as (
    select distinct
        functionality as policy_id,
        concat('class-', functional_class) as parent_policy_id
    from labels
    union all
    select distinct
        concat('class-', functional_class) as policy_id,
        cast(null as string) as parent_policy_id
    from labels
)

select
    policy_id,
    '1' as policy_version,
    parent_policy_id,
    policy_id as policy_name,
    cast(null as string) as severity,
    cast('2021-08-01' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'hatecheck' as source_system,
    cast('2021-08-01' as timestamp) as recorded_at
from policies
