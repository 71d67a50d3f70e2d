with delivered as (
    {{ latest_known('golden_results') }}
)

select
    golden_id,
    {{ pseudonym("nullif(moderator_id, '')") }} as moderator_key,
    served_at,
    nullif(key_version, '') as key_version,
    nullif(answer_action_code, '') as answer_action_code,
    nullif(answer_policy_id, '') as answer_policy_id,
    nullif(true_action_code, '') as true_action_code,
    nullif(true_policy_id, '') as true_policy_id,
    source_system,
    recorded_at
from delivered
