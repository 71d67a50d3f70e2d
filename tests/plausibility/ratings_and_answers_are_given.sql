-- A blank is no answer, and nobody knows what it would have been.
with given as (
    select
        'calibration_ratings' as table_name,
        action_code
    from {{ ref('stg_calibration_ratings') }}
    union all
    select
        'golden_results' as table_name,
        answer_action_code as action_code
    from {{ ref('stg_golden_results') }}
)

select
    table_name,
    count(*) as n_rows,
    count(*) - count(action_code) as n_blank
from given
group by table_name
having
    count(*) - count(action_code)
    > count(*) * case
        when table_name = 'golden_results' then {{ tolerance('blank_answers') }}
        else {{ tolerance('blank_ratings') }}
    end
