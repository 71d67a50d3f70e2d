with labels as (
    select * from {{ ref('convabuse__labels') }}
)

select
    label_id as decision_id,
    item_id as job_id,
    item_id,
    'human' as decided_by_type,
    annotator_id as moderator_id,
    -- The file has no times: every label is given the first day of EMNLP 2021.
    cast('2021-11-07' as timestamp) as decided_at,
    case when has_enforced then 'remove' else 'no_action' end as action_code,
    case when has_enforced then 'abuse' end as primary_policy_id,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
from labels
