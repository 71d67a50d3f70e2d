with slices as (
    select * from {{ ref('audit_slices') }}
)

select
    dimension_name,
    dimension_value,
    risk_cell,
    decided_on,
    count(*) as n_audits,
    cast(sum(n_errors) as bigint) as n_errors
from slices
group by dimension_name, dimension_value, risk_cell, decided_on
