with audits as (
    select * from {{ ref('audit_sheet__rows') }}
    where fate <> 'rejected'
),

volumes as (
    select * from {{ ref('audit_sheet__volumes') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

-- What the last row of a decision says of it.
ranked as (
    select
        *,
        row_number() over (
            partition by decision_id order by audited_at desc, row_no desc
        ) as recency
    from audits
),

decisions as (
    select *
    from ranked
    where recency = 1
)

select
    decisions.decision_id,
    decisions.item_id,
    decisions.moderator_id,
    decisions.queue_id,
    decisions.decided_at,
    decisions.decided_action_code as action_code,
    decisions.decided_policy_id as policy_id,
    volumes.stratum_id,
    volumes.period_start
from decisions
left join actions on decisions.decided_action_code = actions.action_code
left join volumes
    on
        decisions.queue_id = volumes.queue_id
        and decisions.decided_at >= volumes.period_start
        and decisions.decided_at < volumes.period_end
        and case
            when actions.is_enforcing then 'enforced'
            when not actions.is_enforcing then 'not_enforced'
        end = volumes.action_group
