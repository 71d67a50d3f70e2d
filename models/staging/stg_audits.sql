with deliveries as (
    select * from {{ ref('base_audits') }}
),

repeated as (
    select
        audit_id,
        revision_no,
        max(recorded_at) as last_recorded_at
    from {{ ref('int_deliveries__audit_revisions') }}
    group by audit_id, revision_no
)

select
    deliveries.audit_id,
    deliveries.revision_no,
    deliveries.decision_id,
    deliveries.auditor_key,
    deliveries.auditor_tier,
    deliveries.sampling_method,
    deliveries.plan_id,
    deliveries.stratum_id,
    deliveries.inclusion_probability,
    deliveries.is_blind,
    deliveries.decided_action_code,
    deliveries.decided_policy_id,
    deliveries.truth_action_code,
    deliveries.truth_policy_id,
    deliveries.severity,
    deliveries.is_critical,
    deliveries.is_technical_error,
    deliveries.audit_status,
    deliveries.audited_at,
    deliveries.source_system,
    deliveries.recorded_at
from deliveries
left join repeated
    on
        deliveries.audit_id = repeated.audit_id
        and deliveries.revision_no = repeated.revision_no
where coalesce(deliveries.recorded_at = repeated.last_recorded_at, true)
