with repeats as (
    select *
    from {{ ref('int_agreement__ratings') }}
    where rating_number > 1
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

counted as (
    select
        rating_source,
        label_kind,
        rater_key,
        count(*) as n_repeats,
        count(distinct item_id) as n_items,
        sum(case when label = label_before then 1 else 0 end) as n_same
    from repeats
    group by rating_source, label_kind, rater_key
),

rates as (
    select
        *,
        n_same / cast(n_repeats as double) as self_consistency,
        case when n_repeats < {{ var('min_repeats') }} then 'too_few_repeats' end as reason_code
    from counted
)

select
    rates.rating_source,
    rates.label_kind,
    rates.rater_key,
    rates.reason_code is null as is_reportable,
    rates.reason_code,
    cast(rates.n_repeats as bigint) as n_repeats,
    cast(rates.n_items as bigint) as n_items,
    cast(rates.n_same as bigint) as n_same,
    rates.self_consistency,
    {{ wilson_bound('rates.self_consistency', 'rates.n_repeats', 'low') }} as ci_low,
    {{ wilson_bound('rates.self_consistency', 'rates.n_repeats', 'high') }} as ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from rates
cross join as_of
