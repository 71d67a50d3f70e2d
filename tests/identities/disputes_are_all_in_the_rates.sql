-- Counted where disputes are delivered, and in the mart, quarter by quarter.
with staged as (
    select count(*) as n_disputes
    from {{ ref('stg_disputes') }} as disputes
    inner join {{ ref('int_truth__audits') }} as audits on disputes.audit_id = audits.audit_id
    where audits.audit_status = 'final' and not audits.is_withdrawn
),

published as (
    select coalesce(sum(n_disputes + n_excluded), 0) as n_disputes
    from {{ ref('dispute_rates') }}
    where period_type = 'quarter' and dimension_name = 'overall'
)

select
    staged.n_disputes as staged_disputes,
    published.n_disputes as published_disputes
from staged
cross join published
where staged.n_disputes is distinct from published.n_disputes
