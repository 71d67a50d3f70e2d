with decisions as (
    select * from {{ ref('stg_decisions') }}
),

actions as (
    select * from {{ ref('action_codes') }}
)

select
    decisions.*,
    {{ reporting_date('decisions.decided_at') }} as decided_on,
    case
        when actions.is_enforcing then 'enforced'
        when not actions.is_enforcing then 'not_enforced'
    end as action_group,
    -- One reason a decision: the first that holds, in the order of the seed exclusion_reasons.
    case
        when actions.action_code is null then 'unknown_action_code'
        when actions.exclusion_reason is not null then actions.exclusion_reason
        when decisions.decided_by_type in ('human', 'automation') then null
        else 'decided_by_system'
    end as exclusion_reason
from decisions
left join actions on decisions.action_code = actions.action_code
