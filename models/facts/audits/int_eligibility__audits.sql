with audits as (
    select * from {{ ref('int_truth__audits') }}
),

decisions as (
    select * from {{ ref('int_eligibility__audited_decisions') }}
),

frame as (
    select * from {{ ref('int_sampling__frame') }}
),

-- What was counted from the decisions knows no draws: an audit is of its decision's stratum.
derived as (
    select stratum_key from {{ ref('int_sampling__frame') }}
    where is_derived
),

in_frame as (
    select
        audits.*,
        decisions.decided_on,
        coalesce(frame.stratum_key, derived.stratum_key) as stratum_key,
        decisions.decision_id is not null
        and decisions.exclusion_reason is null as is_decision_eligible,
        coalesce(audits.auditor_key = decisions.moderator_key, false) as is_self_audit,
        audits.sampling_method in ('simple_random', 'stratified_random') as is_probability_sample
    from audits
    left join decisions on audits.decision_id = decisions.decision_id
    left join frame
        on
            audits.plan_id = frame.plan_id
            and audits.stratum_id = frame.stratum_id
            and decisions.decided_at >= frame.period_start
            and decisions.decided_at < frame.period_end
    left join derived on decisions.stratum_key = derived.stratum_key
),

-- What would count but for the frame; among these, one audit a decision: one with a weight first.
usable as (
    select
        audit_id,
        row_number() over (
            partition by decision_id
            order by case when stratum_key is null then 1 else 0 end, audited_at, audit_id
        ) as audit_rank
    from in_frame
    where
        not is_withdrawn
        and audit_status = 'final'
        and is_probability_sample
        and is_decision_eligible
        and not is_self_audit
        and error_class is not null
)

select
    in_frame.audit_id,
    in_frame.decided_on,
    in_frame.stratum_key,
    in_frame.is_probability_sample,
    in_frame.inclusion_probability,
    case
        when in_frame.is_withdrawn then 'withdrawn'
        when in_frame.audit_status <> 'final' then 'not_final'
        when not in_frame.is_probability_sample then 'not_probability_sample'
        when not in_frame.is_decision_eligible then 'decision_not_eligible'
        when in_frame.is_self_audit then 'self_audit'
        when in_frame.error_class is null then 'truth_missing'
        when usable.audit_rank > 1 then 'repeated_audit'
        when in_frame.stratum_key is null then 'no_frame'
    end as exclusion_reason
from in_frame
left join usable on in_frame.audit_id = usable.audit_id
