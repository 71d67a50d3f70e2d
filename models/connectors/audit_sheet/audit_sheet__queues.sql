with named as (
    select
        queue_id,
        queue_name,
        decided_at as seen_at
    from {{ ref('audit_sheet__rows') }}
    where fate <> 'rejected'
    union all
    select
        queue_id,
        queue_name,
        period_start as seen_at
    from {{ ref('audit_sheet__volumes') }}
),

begun as (
    select min(seen_at) as valid_from
    from named
)

select
    named.queue_id,
    max(named.queue_name) as queue_name,
    max(begun.valid_from) as valid_from,
    cast(null as timestamp) as valid_to,
    'audit_sheet' as source_system,
    max(begun.valid_from) as recorded_at
from named
cross join begun
where named.queue_id is not null
group by named.queue_id
