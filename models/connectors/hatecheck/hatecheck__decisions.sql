with labels as (
    select * from {{ ref('hatecheck__labels') }}
)

select
    decision_id,
    item_id as job_id,
    item_id,
    'human' as decided_by_type,
    annotator_id as moderator_id,
    -- The file has no times: every label is given the first day of ACL 2021.
    cast('2021-08-01' as timestamp) as decided_at,
    case when has_enforced then 'remove' else 'no_action' end as action_code,
    case when has_enforced then functionality end as primary_policy_id,
    'hatecheck' as source_system,
    cast('2021-08-01' as timestamp) as recorded_at
from labels
