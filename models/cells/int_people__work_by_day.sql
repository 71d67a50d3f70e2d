{% set keys = [
    'moderator_key', 'decided_on', 'queue_id', 'reported_policy_id', 'language', 'site', 'vendor',
    'team_id',
] -%}

with decisions as (
    select * from {{ ref('fct_decisions') }}
    where decided_by_type = 'human'
),

-- Above the cap somebody left the screen open.
measured as (
    select
        *,
        case
            when handling_seconds is not null
                then least(handling_seconds, {{ var('handling_cap_seconds') }})
        end as capped_seconds,
        is_eligible and handling_seconds is not null as is_measured
    from decisions
)

select
    {{ keys | join(',\n    ') }},
    cast(sum(case when is_eligible then 1 else 0 end) as bigint) as n_decisions,
    cast(sum(case when action_code = 'skip' then 1 else 0 end) as bigint) as n_skips,
    -- What replaces a decision, as a correction does, ends no wait.
    cast(
        sum(case when action_code <> 'skip' and supersedes_decision_id is null then 1 else 0 end)
        as bigint
    ) as n_closings,
    cast(sum(case when is_measured then 1 else 0 end) as bigint) as n_measured,
    cast(
        sum(
            case
                when is_measured and handling_seconds > {{ var('handling_cap_seconds') }} then 1
                else 0
            end
        ) as bigint
    ) as n_capped,
    cast(sum(case when is_measured and handling_seconds = 0 then 1 else 0 end) as bigint) as n_zero,
    {{ exact_sum('case when is_measured then capped_seconds else 0e0 end', bits=40) }}
        as handling_seconds,
    -- Time goes into skips and escalations too.
    {{ exact_sum('coalesce(capped_seconds, 0e0)', bits=40) }} as all_handling_seconds
from measured
group by {{ keys | join(', ') }}
