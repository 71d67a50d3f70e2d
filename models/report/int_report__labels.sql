with queues as (
    select * from {{ ref('dim_queues') }}
),

policies as (
    select * from {{ ref('dim_policies') }}
)

select
    'queue' as dimension_name,
    queue_id as dimension_value,
    queue_name as value_label,
    cast(null as string) as parent_value
from queues
union all
select
    'queue_and_decider' as dimension_name,
    concat(queues.queue_id, ' | ', deciders.decided_by_type) as dimension_value,
    concat(queues.queue_name, ', ', deciders.decider_label) as value_label,
    queues.queue_id as parent_value
from queues
cross join (
    values ('human', 'Human'), ('automation', 'Automation'), ('system', 'System')
) as deciders (decided_by_type, decider_label)
union all
select
    'policy' as dimension_name,
    policy_id as dimension_value,
    policy_name as value_label,
    parent_policy_id as parent_value
from policies
union all
select
    'policy_parent' as dimension_name,
    policy_id as dimension_value,
    policy_name as value_label,
    cast(null as string) as parent_value
from policies
