with verdicts as (
    select * from {{ ref('int_verdicts__audits') }}
    where sampling_method = 'benchmark' or found_error_class is null
),

disputes as (
    select * from {{ ref('stg_disputes') }}
),

excluded as (
    select
        verdicts.*,
        case
            when verdicts.sampling_method = 'benchmark' then 'benchmark'
            else 'finding_unknown'
        end as reason_code
    from verdicts
    inner join disputes on verdicts.audit_id = disputes.audit_id
),

grouped as (
    {{ by_period_and_dimension(
        'excluded', 'audited_on', audit_dimensions(), types=rare_period_types()) }}
)

select
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    'dispute' as applies_to,
    reason_code,
    cast(count(*) as bigint) as n
from grouped
group by period_type, period_starts_on, dimension_name, dimension_value, reason_code
