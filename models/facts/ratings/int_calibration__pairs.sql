with ratings as (
    select * from {{ ref('stg_calibration_ratings') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

rated as (
    select
        ratings.session_id,
        ratings.item_id,
        ratings.rater_key,
        ratings.rater_role,
        ratings.policy_id,
        ratings.rated_at,
        cast(case when actions.is_enforcing then 1 else 0 end as double) as enforcement,
        cast(actions.strength as double) as strength,
        actions.is_enforcing is not null as is_rated
    from ratings
    left join actions on ratings.action_code = actions.action_code
),

-- Several experts are one benchmark: their mean.
benchmarks as (
    select
        session_id,
        item_id,
        count(*) as n_experts,
        count(distinct coalesce(policy_id, '')) as n_policies,
        max(policy_id) as policy_id,
        {{ exact_sum('enforcement') }} / count(*) as enforcement,
        {{ exact_sum('strength') }} / count(*) as strength
    from rated
    where rater_role = 'expert' and is_rated
    group by session_id, item_id
)

select
    measures.measure,
    rated.session_id,
    rated.item_id,
    concat(rated.session_id, '|', rated.item_id) as item_key,
    rated.rater_key,
    {{ reporting_date('rated.rated_at') }} as rated_on,
    rated.rater_role,
    roster.site,
    roster.vendor,
    roster.team_id,
    roster.language,
    case
        when benchmarks.n_policies > 1 then 'contested'
        when benchmarks.n_experts > 0 then coalesce(benchmarks.policy_id, 'no_policy')
        else 'no_benchmark'
    end as benchmark_policy_id,
    case
        when not rated.is_rated then 'not_rated'
        when benchmarks.n_experts is null then 'no_benchmark'
    end as exclusion_reason,
    case
        when rated.is_rated and measures.measure = 'strength' then rated.strength
        when rated.is_rated then rated.enforcement
    end as rating,
    case measures.measure
        when 'strength' then benchmarks.strength
        else benchmarks.enforcement
    end as benchmark
from rated
cross join (values ('enforcement_rate'), ('strength')) as measures (measure)
left join benchmarks
    on rated.session_id = benchmarks.session_id and rated.item_id = benchmarks.item_id
left join roster
    on
        rated.rater_key = roster.person_key
        and {{ valid_at('roster', 'rated.rated_at') }}
where coalesce(rated.rater_role, '') <> 'expert'
