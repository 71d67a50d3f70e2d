{% set severities = ['none', 'low', 'medium', 'high', 'severe', 'unknown'] -%}
{% set break_seconds = 30 * 60 -%}

with decisions as (
    select * from {{ ref('fct_decisions') }}
    where decided_by_type = 'human' and moderator_key is not null
),

policies as (
    select * from {{ ref('stg_policies') }}
),

-- Of what was applied; where nothing was, of what the item was reported for.
seen as (
    select
        decisions.decision_id,
        decisions.moderator_key,
        decisions.decided_on,
        decisions.decided_at,
        decisions.site,
        decisions.vendor,
        decisions.team_id,
        least(decisions.handling_seconds, {{ var('handling_cap_seconds') }}) as capped_seconds,
        coalesce(
            case
                when decisions.action_group = 'enforced' then decisions.policy_severity_at_decision
                else policies.severity
            end,
            'unknown'
        ) as severity
    from decisions
    left join policies
        on
            decisions.reported_policy_id = policies.policy_id
            and {{ valid_at('policies', 'decisions.decided_at') }}
),

-- Work goes on until nothing is handled for half an hour.
after_pauses as (
    select
        *,
        case
            when
                {{ seconds_between(
                    'lag(decided_at) over (partition by moderator_key, decided_on order by decided_at, decision_id)',
                    'decided_at'
                ) }} - coalesce(capped_seconds, 0e0) < {{ break_seconds }}
                then 0
            else 1
        end as is_start
    from seen
),

in_runs as (
    select
        *,
        sum(is_start) over (
            partition by moderator_key, decided_on order by decided_at, decision_id
            rows between unbounded preceding and current row
        ) as run_number
    from after_pauses
),

runs as (
    select
        moderator_key,
        decided_on,
        run_number,
        -- The first of a run began before it was decided.
        {{ seconds_between('min(decided_at)', 'max(decided_at)') }}
        + max(case when is_start = 1 then coalesce(capped_seconds, 0e0) end) as run_seconds
    from in_runs
    group by moderator_key, decided_on, run_number
),

longest as (
    select
        moderator_key,
        decided_on,
        max(run_seconds) as longest_run_seconds
    from runs
    group by moderator_key, decided_on
)

select
    seen.moderator_key,
    seen.decided_on,
    seen.site,
    seen.vendor,
    seen.team_id,
    {% for severity in severities -%}
    cast(sum(case when seen.severity = '{{ severity }}' then 1 else 0 end) as bigint)
        as n_{{ severity }},
    {{ exact_sum(
        "case when seen.severity = '" ~ severity ~ "' then coalesce(seen.capped_seconds, 0e0) else 0e0 end",
        bits=40
    ) }} as seconds_{{ severity }},
    {% endfor -%}
    cast(count(*) as bigint) as n_items,
    cast(count(seen.capped_seconds) as bigint) as n_measured,
    max(longest.longest_run_seconds) as longest_run_seconds
from seen
inner join longest
    on seen.moderator_key = longest.moderator_key and seen.decided_on = longest.decided_on
group by seen.moderator_key, seen.decided_on, seen.site, seen.vendor, seen.team_id
