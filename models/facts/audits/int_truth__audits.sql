with revisions as (
    select * from {{ ref('stg_audits') }}
),

disputes as (
    select * from {{ ref('stg_disputes') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

-- The audit as it stands: its last final revision where there is one, else its last revision.
last_revisions as (
    select
        audit_id,
        coalesce(
            max(case when audit_status = 'final' then revision_no end), max(revision_no)
        ) as standing_revision_no,
        max(case when audit_status <> 'draft' then revision_no end) as settled_revision_no,
        max(case when audit_status = 'withdrawn' then revision_no end) as withdrawn_revision_no
    from revisions
    group by audit_id
),

standing as (
    select
        revisions.*,
        coalesce(
            last_revisions.withdrawn_revision_no = last_revisions.settled_revision_no, false
        ) as is_withdrawn
    from revisions
    inner join last_revisions
        on
            revisions.audit_id is not distinct from last_revisions.audit_id
            and revisions.revision_no is not distinct from last_revisions.standing_revision_no
),

overturned as (
    select
        *,
        row_number() over (
            partition by audit_id
            order by resolved_at desc, dispute_id desc
        ) as outcome_rank
    from disputes
    where outcome = 'overturned'
),

-- The last final word: an overturned dispute replaces what the audit found.
final_word as (
    select
        standing.*,
        overturned.dispute_id is not null as is_overturned,
        case
            when overturned.dispute_id is not null then overturned.final_action_code
            else standing.truth_action_code
        end as final_action_code,
        case
            when overturned.dispute_id is not null then overturned.final_policy_id
            else standing.truth_policy_id
        end as final_policy_id
    from standing
    left join overturned
        on standing.audit_id = overturned.audit_id and overturned.outcome_rank = 1
),

judged as (
    select
        final_word.*,
        decided_action.is_enforcing as has_enforced,
        truth_action.is_enforcing as is_violating,
        case
            when decided_action.strength > truth_action.strength then 'too_strict'
            when decided_action.strength < truth_action.strength then 'too_lenient'
            when decided_action.strength = truth_action.strength then 'as_strict'
        end as strictness
    from final_word
    left join actions as decided_action
        on final_word.decided_action_code = decided_action.action_code
    left join actions as truth_action
        on final_word.final_action_code = truth_action.action_code
)

select
    audit_id,
    revision_no,
    decision_id,
    auditor_key,
    auditor_tier,
    sampling_method,
    plan_id,
    stratum_id,
    inclusion_probability,
    is_blind,
    audit_status,
    audited_at,
    is_withdrawn,
    is_overturned,
    decided_action_code,
    decided_policy_id,
    final_action_code as truth_action_code,
    final_policy_id as truth_policy_id,
    severity,
    is_critical,
    is_technical_error,
    has_enforced,
    is_violating,
    strictness,
    {{ error_class('judged') }} as error_class,
    source_system,
    recorded_at
from judged
