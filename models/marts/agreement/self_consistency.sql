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
        count(distinct rater_key) as n_raters,
        count(*) as n_repeats,
        count(distinct item_id) as n_items,
        sum(case when label = label_before then 1 else 0 end) as n_same
    from grouped
    group by {{ keys }}
),

of_enough_people as (
    select
        *,
        {{ few_people(
            'n_raters',
            ['rating_source', 'label_kind', 'period_type', 'period_starts_on', 'dimension_name'],
            'dimension_value') }} as few_people_code
    from counted
),

-- What is of few raters is in rater_self_consistency, restricted.
shown as (
    select
        {{ keys }},
        n_raters,
        n_repeats,
        n_items,
        case when few_people_code is null then n_same end as n_same,
        case when few_people_code is null then n_same / cast(n_repeats as double) end
            as self_consistency,
        case
            when few_people_code is not null then few_people_code
            when n_repeats < {{ var('min_repeats') }} then 'too_few_repeats'
        end as reason_code
    from of_enough_people
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
