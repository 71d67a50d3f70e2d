with servings as (
    select * from {{ ref('stg_golden_results') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

-- A key that names no policy asks only for the action. No answer is not a wrong answer.
answered as (
    select
        golden_id,
        moderator_key,
        served_at,
        coalesce(key_version, 'unversioned') as key_version,
        true_action_code,
        true_policy_id,
        answer_action_code is not null as is_answered,
        case
            when answer_action_code is not null
                then
                    answer_action_code = true_action_code
                    and (
                        true_policy_id is null or coalesce(answer_policy_id = true_policy_id, false)
                    )
        end as is_passed
    from servings
),

items as (
    select
        golden_id,
        key_version,
        count(distinct case when is_answered then moderator_key end) >= {{ var('min_people') }}
        and max(case when is_passed then 1 else 0 end) = 0 as is_bad_key
    from answered
    group by golden_id, key_version
)

select
    answered.golden_id,
    answered.moderator_key,
    answered.served_at,
    {{ reporting_date('answered.served_at') }} as served_on,
    answered.key_version,
    answered.true_action_code,
    answered.true_policy_id,
    roster.site,
    roster.vendor,
    roster.team_id,
    roster.language,
    answered.is_answered,
    answered.is_passed,
    items.is_bad_key
from answered
inner join items
    on answered.golden_id = items.golden_id and answered.key_version = items.key_version
left join roster
    on
        answered.moderator_key = roster.person_key
        and {{ valid_at('roster', 'answered.served_at') }}
