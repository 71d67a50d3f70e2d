with decisions as (
    select * from {{ ref('fct_decisions') }}
),

jobs as (
    select * from {{ ref('stg_review_jobs') }}
),

restrictions as (
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
        restrictions.decision_id,
        restrictions.action_code,
        coalesce(decisions.item_id, jobs.item_id) as item_id,
        decisions.decided_at,
        decisions.decided_on,
        coalesce(decisions.policy_id, 'no_policy') as policy_id,
        decisions.decided_by_type,
        decisions.moderator_key,
        decisions.views_at_decision,
        {{ is_solely_automated('decisions') }} as is_automated
    from restrictions
    inner join decisions on restrictions.decision_id = decisions.decision_id
    left join jobs on decisions.job_id = jobs.job_id
),

acted_on as (
    select distinct item_id
    from acts
),

jobs_of_items as (
    select
        jobs.item_id,
        jobs.enqueued_at,
        jobs.enqueue_reason,
        jobs.item_created_at
    from jobs
    inner join acted_on on jobs.item_id = acted_on.item_id
),

-- Why the item was looked at, up to the act: an escalation or appeal does not say.
looked_at as (
    select
        acts.decision_id,
        acts.action_code,
        min(jobs.item_created_at) as item_created_at,
        max(
            case
                when jobs.enqueued_at > acts.decided_at then null
                when jobs.enqueue_reason in ('user_report', 'trusted_flagger', 'authority_order')
                    then 1
                when jobs.enqueue_reason in ('proactive_model', 'rule', 'sample') then 0
            end
        ) as was_reported
    from acts
    inner join jobs_of_items as jobs on acts.item_id = jobs.item_id
    group by acts.decision_id, acts.action_code
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
    looked_at.was_reported = 1 as is_reported_by_reason,
    undone.undone_at
from acts
left join looked_at
    on
        acts.decision_id = looked_at.decision_id
        and acts.action_code = looked_at.action_code
left join reported on acts.item_id = reported.item_id
left join undone on acts.decision_id = undone.decision_id
