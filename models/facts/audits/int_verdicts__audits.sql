with audits as (
    select *
    from {{ ref('fct_audits') }}
    where coalesce(exclusion_reason, '') not in ('withdrawn', 'not_final')
),

revisions as (
    select *
    from {{ ref('stg_audits') }}
    where audit_id in (select audits.audit_id from audits)
),

actions as (
    select * from {{ ref('action_codes') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

-- A later revision does not move the audit into another period.
first_finals as (
    select
        audit_id,
        min(audited_at) as first_final_at
    from revisions
    where audit_status = 'final'
    group by audit_id
),

-- What the auditor found: fct_audits has it only until a dispute overturns it.
judged as (
    select
        audits.audit_id,
        audits.decision_id,
        audits.audited_at,
        audits.decided_on,
        audits.queue_id,
        audits.policy_id,
        audits.parent_policy_id,
        audits.decided_by_type,
        audits.moderator_key,
        audits.site,
        audits.vendor,
        audits.team_id,
        audits.language,
        audits.region,
        audits.item_type,
        audits.model_version,
        audits.confidence,
        audits.auditor_key,
        audits.auditor_tier,
        audits.sampling_method,
        audits.exclusion_reason,
        audits.error_class,
        audits.decided_action_code,
        audits.decided_policy_id,
        revisions.is_technical_error,
        revisions.truth_action_code as final_action_code,
        revisions.truth_policy_id as final_policy_id,
        decided_action.is_enforcing as has_enforced,
        truth_action.is_enforcing as is_violating
    from audits
    inner join revisions
        on audits.audit_id = revisions.audit_id and audits.revision_no = revisions.revision_no
    left join actions as decided_action
        on revisions.decided_action_code = decided_action.action_code
    left join actions as truth_action
        on revisions.truth_action_code = truth_action.action_code
),

found as (
    select
        judged.*,
        {{ error_class('judged') }} as found_error_class
    from judged
),

benchmarks as (
    select
        audit_id,
        decision_id,
        auditor_key,
        truth_action_code,
        truth_policy_id,
        error_class,
        row_number() over (
            partition by decision_id
            order by audited_at desc, audit_id desc
        ) as benchmark_rank
    from audits
    where sampling_method = 'benchmark' and error_class is not null
),

-- Nobody is the benchmark of themselves.
benchmarked as (
    select
        found.audit_id,
        benchmarks.audit_id as benchmark_audit_id,
        benchmarks.error_class as benchmark_error_class,
        -- A policy is a part of the finding only where something is enforced.
        coalesce(
            found.final_action_code = benchmarks.truth_action_code
            and (found.found_error_class = 'technical') = (benchmarks.error_class = 'technical')
            and (
                not found.is_violating
                or found.final_policy_id is not distinct from benchmarks.truth_policy_id
            ),
            false
        ) as is_same_finding
    from found
    inner join benchmarks
        on found.decision_id = benchmarks.decision_id and benchmarks.benchmark_rank = 1
    where
        found.sampling_method <> 'benchmark'
        and found.found_error_class is not null
        and not coalesce(found.auditor_key = benchmarks.auditor_key, false)
)

select
    found.audit_id,
    found.decision_id,
    {{ reporting_date('first_finals.first_final_at') }} as audited_on,
    found.decided_on,
    found.queue_id,
    found.policy_id,
    found.parent_policy_id,
    found.decided_by_type,
    found.moderator_key,
    found.site,
    found.vendor,
    found.team_id,
    found.language,
    found.region,
    found.item_type,
    found.model_version,
    found.confidence,
    found.auditor_key,
    found.auditor_tier,
    roster.site as auditor_site,
    roster.vendor as auditor_vendor,
    found.sampling_method,
    found.exclusion_reason,
    found.found_error_class,
    found.error_class,
    benchmarked.benchmark_audit_id,
    benchmarked.benchmark_error_class,
    benchmarked.is_same_finding
from found
inner join first_finals on found.audit_id = first_finals.audit_id
left join benchmarked on found.audit_id = benchmarked.audit_id
left join roster
    on
        found.auditor_key = roster.person_key
        and {{ valid_at('roster', 'found.audited_at') }}
