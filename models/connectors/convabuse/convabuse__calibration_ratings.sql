with labels as (
    select * from {{ ref('convabuse__labels') }}
)

select
    -- Within a session a second row by the same rater on the same item would be a correction.
    case
        when repeat_number = 0 then bot
        else concat(bot, ' repeat ', cast(repeat_number as string))
    end as session_id,
    item_id,
    annotator_id as rater_id,
    'expert' as rater_role,
    case when has_enforced then 'remove' else 'no_action' end as action_code,
    case when has_enforced then 'abuse' end as policy_id,
    case severity_grade
        when 1 then 'none'
        when 0 then 'low'
        when -1 then 'medium'
        when -2 then 'high'
        when -3 then 'severe'
    end as severity,
    cast('2021-11-07' as timestamp) as rated_at,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
from labels
