{% set group_keys = agreement_keys() %}

with ratings as (
    select *
    from {{ ref('int_agreement__ratings') }}
    where exclusion_reason is null
),

grouped as (
    {{ by_rating_dimension('ratings', 'item_rated_on') }}
),

raters as (
    select
        {{ group_keys | join(', ') }},
        count(distinct rater_key) as n_raters,
        min(rater_key) as first_rater
    from grouped
    group by {{ group_keys | join(', ') }}
)

select
    {% for key in group_keys -%}
    grouped.{{ key }},
    {% endfor -%}
    concat(grouped.session_id, '|', grouped.item_id) as item_key,
    grouped.label,
    grouped.label_rank,
    cast(count(*) as bigint) as n_ratings,
    cast(sum(case when grouped.rater_key = raters.first_rater then 1 else 0 end) as bigint)
        as n_by_first_rater,
    cast(max(raters.n_raters) as bigint) as n_raters
from grouped
inner join raters on {{ same_keys('grouped', 'raters', group_keys) }}
group by
    {% for key in group_keys -%}
    grouped.{{ key }},
    {% endfor -%}
    grouped.session_id,
    grouped.item_id,
    grouped.label,
    grouped.label_rank
