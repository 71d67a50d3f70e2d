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
        count(distinct moderator_key) as n_people_served,
        cast(count(*) as bigint) as n_served,
        cast(sum(case when is_answered then 1 else 0 end) as bigint) as n_answered,
        cast(sum(case when is_passed then 1 else 0 end) as bigint) as n_passed
    from servings
    group by golden_id, key_version
),

judged as (
    select
        *,
        n_passed as n_successes,
        n_answered as n,
        'min_audits' as min_n,
        n_answered / cast(n_served as double) as answer_rate,
        -- What nobody answered was served to few all the same.
        {{ suppress_small_groups(
            'coalesce(nullif(n_people, 0), n_people_served)', ['key_version'], 'golden_id'
        ) }} as suppression_code
    from counted
)

{{ publish_share('judged', [
    'golden_id', 'key_version', 'true_action_code', 'true_policy_id', 'first_served_on',
    'last_served_on', 'is_bad_key', 'n_keys',
], values=['n_served', 'answer_rate']) }}
