-- What could be appealed, all of it counted, and what became of it.
with decisions as (
    select * from {{ ref('fct_decisions') }}
    where is_eligible and action_group = 'enforced'
),

replaced as (
    {{ replacements(ref('fct_decisions')) }}
),

-- One row a decision, however often it is appealed.
appealed as (
    select
        decision_id,
        max(case when outcome in ('granted', 'partial') then 1 else 0 end) as n_overturned_actions
    from {{ ref('fct_appeals') }}
    where is_in_rates and appellant = 'affected'
    group by decision_id
)

select
    decisions.decided_on,
    decisions.policy_id,
    decisions.parent_policy_id,
    decisions.action_code,
    decisions.decided_by_type,
    decisions.language,
    cast(count(*) as bigint) as n_actions,
    cast(count(appealed.decision_id) as bigint) as n_appealed_actions,
    cast(sum(coalesce(appealed.n_overturned_actions, 0)) as bigint) as n_overturned_actions,
    cast(count(replaced.reversed_at) as bigint) as n_reversed_actions,
    cast(
        count(case when appealed.decision_id is null then replaced.reversed_at end) as bigint
    ) as n_restored_without_appeal
from decisions
left join replaced on decisions.decision_id = replaced.decision_id
left join appealed on decisions.decision_id = appealed.decision_id
where not {{ is_replaced_at_once('decisions', 'replaced') }}
group by
    decisions.decided_on,
    decisions.policy_id,
    decisions.parent_policy_id,
    decisions.action_code,
    decisions.decided_by_type,
    decisions.language
