with sessions as (
    select * from {{ ref('stg_calibration_ratings') }}
),

audits as (
    select * from {{ ref('stg_audits') }}
),

truth as (
    select * from {{ ref('int_truth__audits') }}
),

decisions as (
    select * from {{ ref('int_eligibility__audited_decisions') }}
),

-- What the auditor found: a dispute's outcome is nobody's rating.
final_audits as (
    select
        audits.audit_id,
        audits.decision_id,
        audits.auditor_key,
        audits.truth_action_code,
        audits.truth_policy_id,
        audits.severity,
        audits.audited_at,
        audits.source_system,
        audits.recorded_at
    from truth
    inner join audits
        on truth.audit_id = audits.audit_id and truth.revision_no = audits.revision_no
    where
        truth.audit_status = 'final'
        and not truth.is_withdrawn
        and audits.auditor_key is not null
),

-- Of nearly all decisions there is one.
reviewed_twice as (
    select decision_id
    from final_audits
    group by decision_id
    having count(*) > 1
),

votes as (
    select
        session_id,
        item_id,
        policy_id,
        row_number() over (
            partition by session_id, item_id
            order by count(*) desc, policy_id asc
        ) as vote_rank
    from sessions
    where policy_id is not null
    group by session_id, item_id, policy_id
)

select
    'calibration' as rating_source,
    sessions.session_id,
    sessions.item_id,
    sessions.rater_key,
    sessions.session_id as rating_id,
    sessions.action_code,
    sessions.policy_id,
    sessions.severity,
    coalesce(votes.policy_id, 'no_policy') as item_policy_id,
    sessions.rated_at,
    sessions.source_system,
    sessions.recorded_at
from sessions
left join votes
    on
        sessions.session_id = votes.session_id
        and sessions.item_id = votes.item_id
        and votes.vote_rank = 1
union all
select
    'double_review' as rating_source,
    'audits' as session_id,
    final_audits.decision_id as item_id,
    final_audits.auditor_key as rater_key,
    final_audits.audit_id as rating_id,
    final_audits.truth_action_code as action_code,
    final_audits.truth_policy_id as policy_id,
    final_audits.severity,
    coalesce(decisions.policy_id, 'no_policy') as item_policy_id,
    final_audits.audited_at as rated_at,
    final_audits.source_system,
    final_audits.recorded_at
from final_audits
left join decisions on final_audits.decision_id = decisions.decision_id
where final_audits.decision_id in (select reviewed_twice.decision_id from reviewed_twice)
