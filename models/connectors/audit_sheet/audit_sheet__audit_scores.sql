with audits as (
    select * from {{ ref('audit_sheet__rows') }}
    where fate <> 'rejected'
)

select
    audit_id,
    revision_no,
    'score' as category_id,
    score,
    cast(0 as double) as scale_min,
    cast(100 as double) as scale_max,
    cast(1 as double) as weight,
    false as is_critical,
    false as is_not_applicable,
    'audit_sheet' as source_system,
    audited_at as recorded_at
from audits
where score is not null
