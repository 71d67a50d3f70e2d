-- The last final revision is in force, so an order that is wrong puts an old finding in force.
with revisions as (
    select
        audit_id,
        revision_no,
        recorded_at,
        audited_at,
        coalesce(lag(revision_no) over (partition by audit_id order by revision_no), 0)
            as revision_before,
        lag(recorded_at) over (partition by audit_id order by revision_no) as recorded_before,
        lag(audited_at) over (partition by audit_id order by revision_no) as audited_before
    from {{ ref('stg_audits') }}
)

select
    audit_id,
    revision_no,
    revision_before,
    recorded_at,
    recorded_before,
    audited_at,
    audited_before
from revisions
where
    revision_no <> revision_before + 1
    or recorded_at < recorded_before
    or audited_at < audited_before
