-- An audit's weight is its stratum's, and its error class compares the truth with the decision as
-- the auditor saw it. A few may differ, where a decision was corrected after it was sampled.
with compared as (
    select
        audits.audit_id,
        audits.decision_id,
        audits.stratum_key,
        decisions.stratum_key as stratum_key_of_decision,
        audits.decided_action_code,
        decisions.action_code,
        audits.decided_policy_id,
        decisions.policy_id,
        (
            audits.stratum_key is distinct from decisions.stratum_key
            or audits.decided_action_code is distinct from decisions.action_code
            or audits.decided_policy_id is distinct from decisions.policy_id
        ) as is_different
    from {{ ref('fct_audits') }} as audits
    left join {{ ref('fct_decisions') }} as decisions
        on audits.decision_id = decisions.decision_id
    where audits.is_counted
),

shares as (
    select avg(case when is_different then 1.0 else 0.0 end) as share_different
    from compared
)

select compared.*
from compared
cross join shares
where
    compared.is_different
    and shares.share_different > {{ tolerance('audits_of_another_decision') }}
