-- Without a name nobody sees that one auditor finds less than the others.
with audits as (
    select auditor_key
    from {{ ref('fct_audits') }}
    where is_counted
)

select
    count(*) as n_audits,
    count(*) - count(auditor_key) as n_unnamed
from audits
having count(*) - count(auditor_key) > {{ tolerance('unnamed_auditors') }} * count(*)
