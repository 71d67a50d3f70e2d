with audits as (
    select * from {{ ref('audit_sheet__rows') }}
    where fate <> 'rejected'
),

placed as (
    select * from {{ ref('audit_sheet__placed') }}
)

select
    audits.audit_id,
    audits.revision_no,
    audits.decision_id,
    audits.auditor_id,
    case
        when audits.sampling_method = 'simple_random' and placed.stratum_id is not null
            then 'stratified_random'
        else audits.sampling_method
    end as sampling_method,
    case
        when audits.sampling_method = 'simple_random' and placed.stratum_id is not null then 'sheet'
    end as plan_id,
    case when audits.sampling_method = 'simple_random' then placed.stratum_id end as stratum_id,
    audits.is_blind,
    audits.decided_action_code,
    audits.decided_policy_id,
    audits.truth_action_code,
    audits.truth_policy_id,
    audits.severity,
    audits.is_critical,
    audits.is_technical_error,
    audits.audit_status,
    audits.audited_at,
    'audit_sheet' as source_system,
    audits.audited_at as recorded_at
from audits
left join placed on audits.decision_id = placed.decision_id
