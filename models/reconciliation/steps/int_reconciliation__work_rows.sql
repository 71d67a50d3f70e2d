-- One row that has no other side, or says something else there, and why.
with decisions as {{ read_anew() }} (
    select * from {{ ref('fct_decisions') }}
),

jobs as {{ read_anew() }} (
    select * from {{ ref('stg_review_jobs') }}
),

decision_policies as (
    select * from {{ ref('stg_decision_policies') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

appeals as (
    select * from {{ ref('stg_appeals') }}
),

appealed as (
    select distinct decision_id from appeals
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

primary_policies as (
    select
        decision_id,
        max(policy_id) as policy_id
    from decision_policies
    where coalesce(is_primary, false)
    group by decision_id
)

select
    'decisions_to_jobs' as check_name,
    'decisions' as table_name,
    decisions.decision_id as row_id,
    decisions.decided_on as happened_on,
    'no_job' as reason_code,
    false as is_explained
from decisions
left join jobs on decisions.job_id = jobs.job_id
where jobs.job_id is null
union all
select
    'jobs_to_decisions' as check_name,
    'review_jobs' as table_name,
    jobs.job_id as row_id,
    {{ reporting_date('jobs.enqueued_at') }} as happened_on,
    'open_job' as reason_code,
    true as is_explained
from jobs
where
    not exists (
        select 1
        from decisions
        where
            decisions.job_id = jobs.job_id
            -- An escalation ends the visit; a skip does not.
            and coalesce(decisions.action_code, '') <> 'skip'
    )
union all
select
    'decisions_to_policies' as check_name,
    'decisions' as table_name,
    decisions.decision_id as row_id,
    decisions.decided_on as happened_on,
    case when primary_policies.decision_id is null then 'no_policy_row' else 'policy_differs' end
        as reason_code,
    false as is_explained
from decisions
left join primary_policies on decisions.decision_id = primary_policies.decision_id
where
    decisions.policy_id is not null
    and primary_policies.policy_id is distinct from decisions.policy_id
    and exists (select 1 from decision_policies)
union all
select
    'audits_to_decisions' as check_name,
    'audits' as table_name,
    audits.audit_id as row_id,
    {{ reporting_date('audits.audited_at') }} as happened_on,
    'no_decision' as reason_code,
    false as is_explained
from audits
where audits.decided_on is null
union all
select
    'audits_to_what_they_saw' as check_name,
    'audits' as table_name,
    audits.audit_id as row_id,
    {{ reporting_date('audits.audited_at') }} as happened_on,
    'decision_differs' as reason_code,
    false as is_explained
from audits
inner join decisions on audits.decision_id = decisions.decision_id
where
    audits.is_counted
    and (
        audits.decided_action_code is distinct from decisions.action_code
        or audits.decided_policy_id is distinct from decisions.policy_id
    )
union all
select
    'appeals_to_decisions' as check_name,
    'appeals' as table_name,
    appeals.appeal_id as row_id,
    {{ reporting_date('appeals.filed_at') }} as happened_on,
    'no_decision' as reason_code,
    false as is_explained
from appeals
left join decisions on appeals.decision_id = decisions.decision_id
where decisions.decision_id is null
union all
select
    'grants_to_reversals' as check_name,
    'appeals' as table_name,
    appeals.appeal_id as row_id,
    {{ reporting_date('coalesce(appeals.decided_at, appeals.filed_at)') }} as happened_on,
    case
        when coalesce(appeals.decided_at, appeals.filed_at) > as_of.as_of - interval '1' day
            then 'reversal_not_due'
        else 'no_reversal'
    end as reason_code,
    coalesce(appeals.decided_at, appeals.filed_at) > as_of.as_of - interval '1' day
        as is_explained
from appeals
cross join as_of
where
    appeals.outcome = 'granted'
    and not exists (
        select 1
        from decisions as reversals
        where
            reversals.exclusion_reason = 'reversal'
            and reversals.supersedes_decision_id = appeals.decision_id
    )
union all
select
    'reversals_to_grants' as check_name,
    'decisions' as table_name,
    decisions.decision_id as row_id,
    decisions.decided_on as happened_on,
    case
        when appealed.decision_id is null then 'restored_without_appeal'
        else 'restored_without_grant'
    end as reason_code,
    true as is_explained
from decisions
left join appealed on decisions.supersedes_decision_id = appealed.decision_id
where
    decisions.exclusion_reason = 'reversal'
    and exists (select 1 from appeals)
    and not exists (
        select 1
        from appeals
        where
            appeals.decision_id = decisions.supersedes_decision_id
            and appeals.outcome in ('granted', 'partial')
    )
