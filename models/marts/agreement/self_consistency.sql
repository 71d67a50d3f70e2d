{% set keys = agreement_keys() | join(', ') %}

with repeats as (
    select *
    from {{ ref('int_agreement__ratings') }}
    where rating_number > 1
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

grouped as (
    {{ by_rating_dimension('repeats', 'rated_on') }}
),

counted as (
    select
        {{ keys }},
        count(distinct rater_key) >= {{ var('min_people') }} as is_of_enough_raters,
        count(distinct rater_key) as n_raters,
        count(*) as n_repeats,
        count(distinct item_id) as n_items,
        sum(case when label = label_before then 1 else 0 end) as n_same
    from grouped
    group by {{ keys }}
),

-- What is of one rater or two is in rater_self_consistency, restricted.
shown as (
    select
        {{ keys }},
        n_raters,
        n_repeats,
        n_items,
        case when is_of_enough_raters then n_same end as n_same,
        case when is_of_enough_raters then n_same / cast(n_repeats as double) end
            as self_consistency,
        case
            when not is_of_enough_raters then 'too_few_raters'
            when n_repeats < {{ var('min_repeats') }} then 'too_few_repeats'
        end as reason_code
    from counted
)

select
    shown.rating_source,
    shown.label_kind,
    shown.period_type,
    shown.period_starts_on,
    shown.dimension_name,
    shown.dimension_value,
    {{ period_end() }} as period_ends_on,
    shown.reason_code is null as is_reportable,
    shown.reason_code,
    cast(shown.n_raters as bigint) as n_raters,
    cast(shown.n_repeats as bigint) as n_repeats,
    cast(shown.n_items as bigint) as n_items,
    cast(shown.n_same as bigint) as n_same,
    shown.self_consistency,
    {{ wilson_bound('shown.self_consistency', 'shown.n_repeats', 'low') }} as ci_low,
    {{ wilson_bound('shown.self_consistency', 'shown.n_repeats', 'high') }} as ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from shown
cross join as_of
