-- Corrections go both ways. Where a large part of the errors is taken back, only errors are argued
-- with.
with finals as (
    select
        audit_id,
        coalesce(
            truth_action_code <> decided_action_code
            or truth_policy_id <> decided_policy_id, false
        ) as has_error,
        row_number() over (partition by audit_id order by revision_no) as from_first,
        row_number() over (partition by audit_id order by revision_no desc) as from_last
    from {{ ref('stg_audits') }}
    where audit_status = 'final' and truth_action_code is not null
),

compared as (
    select
        count(*) as n_errors_found,
        sum(case when last_final.has_error then 0 else 1 end) as n_taken_back
    from finals as first_final
    inner join finals as last_final
        on first_final.audit_id = last_final.audit_id and last_final.from_last = 1
    where first_final.from_first = 1 and first_final.has_error
)

select
    n_errors_found,
    n_taken_back
from compared
where n_taken_back > 20 and n_taken_back > {{ tolerance('errors_taken_back') }} * n_errors_found
