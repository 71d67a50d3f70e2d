-- golden_items withholds a key that five people or more failed; here the others are counted, of
-- which a few are chance.
with items as (
    select
        golden_id,
        key_version,
        sum(case when is_answered then 1 else 0 end) as n_answered,
        sum(case when is_passed then 1 else 0 end) as n_passed
    from {{ ref('int_golden__servings') }}
    group by golden_id, key_version
),

judged as (
    select
        *,
        count(*) over () as n_items,
        sum(case when n_passed = 0 then 1 else 0 end) over () as n_never_passed
    from items
    where n_answered >= 3
)

select
    golden_id,
    key_version,
    n_answered,
    n_never_passed,
    n_items
from judged
where n_passed = 0 and n_never_passed > 1 + {{ tolerance('unpassable_keys') }} * n_items
