with servings as (
    select * from {{ ref('int_golden__servings') }}
),

counted as (
    select
        golden_id,
        key_version,
        -- One key version has one right answer; a test says so.
        max(true_action_code) as true_action_code,
        max(true_policy_id) as true_policy_id,
        cast(min(served_on) as date) as first_served_on,
        cast(max(served_on) as date) as last_served_on,
        max(case when is_bad_key then 1 else 0 end) = 1 as is_bad_key,
        cast(count(distinct concat(true_action_code, '|', coalesce(true_policy_id, ''))) as bigint)
            as n_keys,
        cast(count(distinct case when is_answered then moderator_key end) as bigint) as n_people,
        cast(count(*) as bigint) as n_served,
        cast(sum(case when is_answered then 1 else 0 end) as bigint) as n_answered,
        cast(sum(case when is_passed then 1 else 0 end) as bigint) as n_passed
    from servings
    group by golden_id, key_version
),

of_enough_people as (
    select
        *,
        {{ suppress_small_groups('n_people', ['key_version'], 'golden_id') }} as suppression_code
    from counted
),

judged as (
    select
        *,
        suppression_code is null as is_shown,
        case
            when n_answered = 0 then 'no_answers'
            when suppression_code is not null then suppression_code
            when n_answered < {{ var('min_audits') }} then 'too_few_answers'
        end as reason_code
    from of_enough_people
)

select
    judged.golden_id,
    judged.key_version,
    judged.true_action_code,
    judged.true_policy_id,
    judged.first_served_on,
    judged.last_served_on,
    judged.is_bad_key,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.n_keys,
    judged.n_people,
    judged.n_served,
    judged.n_answered,
    case when judged.is_shown then judged.n_passed end as n_passed,
    judged.n_answered / cast(judged.n_served as double) as answer_rate,
    {{ share_with_interval(
        'judged.n_passed', 'judged.n_answered', 'pass_rate', 'judged.is_shown') }},
    cast({{ var('confidence_level') }} as double) as confidence_level
from judged
