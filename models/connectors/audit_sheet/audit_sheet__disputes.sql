with audits as (
    select * from {{ ref('audit_sheet__rows') }}
    where fate not in ('rejected', 'superseded') and dispute_outcome is not null
)

select
    concat(audit_id, ':dispute') as dispute_id,
    audit_id,
    audited_at as filed_at,
    cast(null as timestamp) as resolved_at,
    dispute_outcome as outcome,
    cast(null as string) as final_action_code,
    cast(null as string) as final_policy_id,
    'audit_sheet' as source_system,
    audited_at as recorded_at
from audits
