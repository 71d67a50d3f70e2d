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
ranked as (
    select
        *,
        max(case when audit_status <> 'draft' then revision_no end)
            over (partition by audit_id) as last_settled_revision_no,
        row_number() over (
            partition by audit_id
            order by case when audit_status = 'final' then 1 else 0 end desc, revision_no desc
        ) as standing_rank,
        max(case when audit_status = 'withdrawn' then revision_no end)
            over (partition by audit_id) as withdrawn_revision_no
    from revisions
),

standing as (
    select
        *,
        coalesce(withdrawn_revision_no = last_settled_revision_no, false) as is_withdrawn
    from ranked
    where standing_rank = 1
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
        truth_action.is_enforcing as is_violating
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
    {{ error_class('judged') }} as error_class,
    source_system,
    recorded_at
from judged
