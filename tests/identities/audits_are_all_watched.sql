-- Every audit that counts is once among all, and in one value of each dimension at most.
with slices as (
    select * from {{ ref('audit_slices') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted
),

by_audit as (
    select
        audit_id,
        sum(case when dimension_name = 'overall' then 1 else 0 end) as n_overall,
        sum(case when dimension_name = 'queue' then 1 else 0 end) as n_queues,
        sum(case when dimension_name = 'overall' then n_errors else 0 end) as n_errors
    from slices
    group by audit_id
),

by_dimension as (
    select
        dimension_name,
        sum(n_audits) as n_audits,
        sum(n_errors) as n_errors
    from daily
    group by dimension_name
),

sliced as (
    select
        dimension_name,
        count(*) as n_audits,
        sum(n_errors) as n_errors
    from slices
    group by dimension_name
)

select audits.audit_id as what
from audits
left join by_audit on audits.audit_id = by_audit.audit_id
where
    by_audit.n_overall is distinct from 1
    or by_audit.n_queues is distinct from 1
    or by_audit.n_errors is distinct from 1 - audits.n_correct
union all
select sliced.dimension_name as what
from sliced
left join by_dimension on sliced.dimension_name = by_dimension.dimension_name
where
    by_dimension.n_audits is distinct from sliced.n_audits
    or by_dimension.n_errors is distinct from sliced.n_errors
