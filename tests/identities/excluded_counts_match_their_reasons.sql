-- The reasons in the text columns are counted on a path of their own; here they meet the sums.
with rates as (
    select * from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy'
),

by_reason as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        dimension_value,
        sum(n_decisions) as n_excluded_decisions,
        sum(n_audits) as n_excluded_audits
    from {{ ref('accuracy_cells') }}
    where exclusion_reason is not null
    group by period_type, period_starts_on, dimension_name, dimension_value
)

select
    rates.period_type,
    rates.period_starts_on,
    rates.dimension_name,
    rates.dimension_value,
    rates.n_excluded_decisions,
    rates.excluded_decisions_by_reason,
    rates.n_excluded_audits,
    rates.excluded_audits_by_reason
from rates
left join by_reason
    on
        rates.period_type = by_reason.period_type
        and rates.period_starts_on = by_reason.period_starts_on
        and rates.dimension_name = by_reason.dimension_name
        and rates.dimension_value = by_reason.dimension_value
where
    rates.n_excluded_decisions is distinct from coalesce(by_reason.n_excluded_decisions, 0)
    or rates.n_excluded_audits is distinct from coalesce(by_reason.n_excluded_audits, 0)
    or (rates.n_excluded_decisions > 0)
    is distinct from (rates.excluded_decisions_by_reason is not null)
    or (rates.n_excluded_audits > 0)
    is distinct from (rates.excluded_audits_by_reason is not null)
