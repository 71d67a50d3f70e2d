-- Counted where disputes are delivered, and where they are published or excluded, by quarter.
with staged as (
    select count(*) as n_disputes
    from {{ ref('stg_disputes') }} as disputes
    inner join {{ ref('int_truth__audits') }} as audits on disputes.audit_id = audits.audit_id
    where audits.audit_status = 'final' and not audits.is_withdrawn
),

published as (
    select n as n_disputes
    from {{ ref('quality_cells') }}
    where
        metric_id = 'dispute_pending_share'
        and period_type = 'quarter'
        and dimension_name = 'overall'
    union all
    select n as n_disputes
    from {{ ref('int_verdicts__dispute_exclusions') }}
    where period_type = 'quarter' and dimension_name = 'overall'
),

counted as (
    -- One count that is missing makes the sum too small, and is not to pass for it.
    select
        case
            when count(*) = count(n_disputes) then coalesce(sum(n_disputes), 0)
        end as n_disputes
    from published
)

select
    staged.n_disputes as staged_disputes,
    counted.n_disputes as published_disputes
from staged
cross join counted
where staged.n_disputes is distinct from counted.n_disputes
