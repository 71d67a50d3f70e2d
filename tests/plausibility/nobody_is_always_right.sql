-- Right answers alone are no proof of copying, but of many they are a reason to look.
with items as (
    select
        session_id,
        item_id,
        count(distinct concat(action_code, '|', coalesce(policy_id, ''))) as n_answers
    from {{ ref('stg_calibration_ratings') }}
    where action_code is not null
    group by session_id, item_id
    having count(*) > 1
)

select
    'calibration_ratings' as table_name,
    count(*) as n_items
from items
having count(*) >= 40 and max(n_answers) = 1
union all
select
    'golden_results' as table_name,
    count(*) as n_items
from {{ ref('int_golden__servings') }}
where is_answered
having count(*) >= 150 and sum(case when is_passed then 0 else 1 end) = 0
