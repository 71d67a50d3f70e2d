with restrictions as (
    {{ restrictions_of_acts() }}
),

-- A machine that is not the platform's is no reporter.
reported as (
    select
        item_id,
        min(reported_at) as first_reported_at
    from {{ ref('stg_reports') }}
    where reporter_kind is distinct from 'automation'
    group by item_id
),

undone as (
    {{ undone_decisions() }}
),

acts as (
    select
        decision_id,
        act_code as action_code,
        item_id,
        decided_at,
        decided_on,
        coalesce(policy_id, 'no_policy') as policy_id,
        decided_by_type,
        moderator_key,
        views_at_decision,
        {{ is_solely_automated('restrictions') }} as is_automated
    from restrictions
),

-- Why an item was looked at: an escalation or appeal does not say.
looked_at as (
    select
        item_id,
        min(item_created_at) as item_created_at,
        min(
            case
                when enqueue_reason in ('user_report', 'trusted_flagger', 'authority_order')
                    then enqueued_at
            end
        ) as first_reported_at,
        min(case when enqueue_reason in ('proactive_model', 'rule', 'sample') then enqueued_at end)
            as first_found_at
    from {{ ref('stg_review_jobs') }}
    where item_id in (select acts.item_id from acts)
    group by item_id
)

select
    acts.decision_id,
    acts.action_code,
    acts.item_id,
    acts.decided_at,
    acts.decided_on,
    acts.policy_id,
    acts.decided_by_type,
    acts.moderator_key,
    acts.views_at_decision,
    looked_at.item_created_at,
    acts.is_automated,
    coalesce(reported.first_reported_at <= acts.decided_at, false) as is_reported,
    case
        when looked_at.first_reported_at <= acts.decided_at then true
        when looked_at.first_found_at <= acts.decided_at then false
    end as is_reported_by_reason,
    undone.undone_at
from acts
left join looked_at on acts.item_id = looked_at.item_id
left join reported on acts.item_id = reported.item_id
left join undone on acts.decision_id = undone.decision_id
