with latest as (
    {{ last_recorded(
        'audits', ref('base_audits'), ref('int_deliveries__audit_revisions')
    ) }}
)

select
    audit_id,
    revision_no,
    decision_id,
    auditor_key,
    auditor_tier,
    sampling_method,
    plan_id,
    stratum_id,
    inclusion_probability,
    is_blind,
    decided_action_code,
    decided_policy_id,
    truth_action_code,
    truth_policy_id,
    severity,
    is_critical,
    is_technical_error,
    audit_status,
    audited_at,
    source_system,
    recorded_at
from latest
