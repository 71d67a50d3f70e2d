with delivered as (
    {{ latest_known('audits') }}
)

select
    audit_id,
    revision_no,
    decision_id,
    {{ pseudonym("nullif(auditor_id, '')") }} as auditor_key,
    auditor_tier,
    sampling_method,
    plan_id,
    stratum_id,
    inclusion_probability,
    is_blind,
    decided_action_code,
    nullif(decided_policy_id, '') as decided_policy_id,
    nullif(truth_action_code, '') as truth_action_code,
    nullif(truth_policy_id, '') as truth_policy_id,
    severity,
    is_critical,
    is_technical_error,
    audit_status,
    audited_at,
    source_system,
    recorded_at
from delivered
