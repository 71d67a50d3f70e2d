{% set dimensions = person_dimensions() %}
{% do dimensions.update({
    'key_version': 'key_version',
    'policy': "coalesce(true_policy_id, 'no_policy')",
    'action': 'true_action_code',
}) %}
{% set keys = [
    'period_type', 'period_starts_on', 'dimension_name', 'dimension_value', 'period_ends_on',
] %}

with servings as (
    select * from {{ ref('int_golden__servings') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

grouped as (
    {{ by_period_and_dimension(
        'servings', 'served_on', dimensions, types=rare_period_types()) }}
),

counted as (
    select
        {{ keys | join(', ') }},
        cast(count(distinct case when is_answered then moderator_key end) as bigint) as n_people,
        cast(count(*) as bigint) as n_served,
        cast(sum(case when is_answered then 1 else 0 end) as bigint) as n_answered,
        cast(sum(case when is_passed then 1 else 0 end) as bigint) as n_passed,
        cast(sum(case when is_answered and is_bad_key then 1 else 0 end) as bigint)
            as n_answered_with_bad_key,
        cast(sum(case when is_answered and not is_bad_key then 1 else 0 end) as bigint)
            as n_answered_with_good_key,
        count(distinct case when is_answered and not is_bad_key then moderator_key end)
            as n_people_with_good_key
    from grouped
    group by {{ keys | join(', ') }}
),

of_enough_people as (
    select
        *,
        {{ few_people(
            'n_people', ['period_type', 'period_starts_on', 'dimension_name'],
            'dimension_value') }} as few_people_code
    from counted
),

judged as (
    select
        *,
        few_people_code is null as is_shown,
        case
            when n_answered = 0 then 'no_answers'
            when few_people_code is not null then few_people_code
            when n_answered < {{ var('min_audits') }} then 'too_few_answers'
        end as reason_code,
        case
            when n_answered_with_good_key = 0 then 'no_answers'
            when few_people_code is not null then few_people_code
            when n_people_with_good_key < {{ var('min_people') }} then 'too_few_people'
            when n_answered_with_good_key < {{ var('min_audits') }} then 'too_few_answers'
        end as without_bad_keys_reason_code
    from of_enough_people
)

select
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_name,
    judged.dimension_value,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.without_bad_keys_reason_code,
    judged.n_people,
    judged.n_served,
    judged.n_answered,
    judged.n_answered_with_bad_key,
    case when judged.is_shown then judged.n_passed end as n_passed,
    judged.n_answered / cast(judged.n_served as double) as answer_rate,
    {{ share_with_interval(
        'judged.n_passed', 'judged.n_answered', 'pass_rate', 'judged.is_shown') }},
    {{ share_with_interval(
        'judged.n_passed', 'judged.n_answered_with_good_key', 'pass_rate_without_bad_keys',
        'judged.is_shown') }},
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from judged
cross join as_of
