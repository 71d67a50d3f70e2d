-- Counted in the facts by reason, on no path of the mart; here the text columns meet them, once for
-- every kind of period and dimension.
with excluded as (
    select exclusion_reason as reason_code from {{ ref('fct_decisions') }}
    union all
    select exclusion_reason as reason_code from {{ ref('fct_audits') }}
),

counted as (
    select
        reason_code,
        count(*) as n_excluded
    from excluded
    where reason_code is not null
    group by reason_code
),

reasons as (
    select
        exclusion_reasons.reason_code,
        coalesce(counted.n_excluded, 0) as n_excluded
    from {{ ref('exclusion_reasons') }} as exclusion_reasons
    left join counted on exclusion_reasons.reason_code = counted.reason_code
),

rates as (
    select
        period_type,
        dimension_name,
        concat_ws(', ', excluded_decisions_by_reason, excluded_audits_by_reason) as told,
        n_excluded_decisions + n_excluded_audits as n_excluded
    from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy' and metric_version = 1
),

told as (
    select
        rates.period_type,
        rates.dimension_name,
        reasons.reason_code,
        reasons.n_excluded,
        coalesce(sum(
            cast(
                nullif(
                    regexp_extract(
                        rates.told, concat('(^|, )', reasons.reason_code, '=([0-9]+)'), 2
                    ),
                    ''
                ) as bigint
            )
        ), 0) as n_told
    from rates
    cross join reasons
    group by rates.period_type, rates.dimension_name, reasons.reason_code, reasons.n_excluded
),

totals as (
    select
        period_type,
        dimension_name,
        'all reasons' as reason_code,
        sum(n_excluded) as n_excluded
    from rates
    group by period_type, dimension_name
)

select
    period_type,
    dimension_name,
    reason_code,
    n_excluded,
    n_told
from told
where n_told is distinct from n_excluded
union all
select
    totals.period_type,
    totals.dimension_name,
    totals.reason_code,
    totals.n_excluded,
    sum(told.n_told) as n_told
from totals
inner join told
    on
        totals.period_type = told.period_type
        and totals.dimension_name = told.dimension_name
group by totals.period_type, totals.dimension_name, totals.reason_code, totals.n_excluded
having sum(told.n_told) is distinct from totals.n_excluded
