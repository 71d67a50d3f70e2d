with delivered as (
    {{ latest_known('calibration_ratings') }}
)

select
    session_id,
    item_id,
    {{ pseudonym("nullif(rater_id, '')") }} as rater_key,
    rater_role,
    nullif(action_code, '') as action_code,
    nullif(policy_id, '') as policy_id,
    nullif(severity, '') as severity,
    rated_at,
    source_system,
    recorded_at
from delivered
