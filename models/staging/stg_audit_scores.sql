with delivered as (
    {{ latest_known('audit_scores') }}
)

select
    audit_id,
    revision_no,
    category_id,
    score,
    scale_min,
    scale_max,
    weight,
    is_critical,
    is_not_applicable,
    source_system,
    recorded_at
from delivered
