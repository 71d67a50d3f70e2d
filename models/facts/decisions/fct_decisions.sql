{{ built_by_days('decided', 'decided_on') }}

{% set jobs_of_days -%}
    select job_id
    from {{ ref('base_decisions') }}
    where {{ in_days_to_build('decided', 'decided_on') }}
{%- endset %}

with decisions as (
    select * from {{ ref('stg_decisions') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

jobs as (
    select * from {{ ref('stg_review_jobs') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

policies as (
    select * from {{ ref('stg_policies') }}
),

queues as (
    select * from {{ ref('stg_queues') }}
),

frame_cells as (
    select * from {{ ref('int_sampling__frame_cells') }}
),

-- What was in force when the decision was taken.
in_context as (
    select
        decisions.*,
        jobs.item_id as item_of_job,
        jobs.queue_id,
        jobs.language,
        jobs.region,
        jobs.item_type,
        jobs.reported_policy_id,
        policies.policy_version as policy_version_at_decision,
        -- A policy at the top of the tree is its own parent, so that parents sum to all.
        coalesce(policies.parent_policy_id, decisions.policy_id) as parent_policy_id,
        policies.severity as policy_severity_at_decision,
        queues.target_accuracy as queue_target_at_decision,
        roster.site,
        roster.vendor,
        roster.team_id,
        {{ action_group('actions') }} as action_group,
        {{ decision_exclusion('decisions', 'actions') }} as exclusion_reason
    from decisions
    left join actions on decisions.action_code = actions.action_code
    left join jobs on decisions.job_id = jobs.job_id
    left join roster
        on
            decisions.moderator_key = roster.person_key
            and {{ valid_at('roster', 'decisions.decided_at') }}
    left join policies
        on
            decisions.policy_id = policies.policy_id
            and {{ valid_at('policies', 'decisions.decided_at') }}
    left join queues
        on
            jobs.queue_id = queues.queue_id
            and {{ valid_at('queues', 'decisions.decided_at') }}
    where
        {{ in_days_to_build('decided', 'decisions.decided_on') }}
        and {{ in_range_of('decisions.job_id', jobs_of_days) }}
)

select
    decisions.decision_id,
    decisions.job_id,
    coalesce(decisions.item_id, decisions.item_of_job) as item_id,
    decisions.supersedes_decision_id,
    frame_cells.stratum_key,
    decisions.decided_at,
    decisions.decided_on,
    decisions.queue_id,
    decisions.policy_id,
    decisions.policy_version_at_decision,
    decisions.parent_policy_id,
    decisions.policy_severity_at_decision,
    decisions.queue_target_at_decision,
    decisions.decided_by_type,
    decisions.moderator_key,
    decisions.site,
    decisions.vendor,
    decisions.team_id,
    decisions.language,
    decisions.region,
    decisions.item_type,
    decisions.reported_policy_id,
    decisions.action_code,
    decisions.action_group,
    decisions.model_version,
    decisions.ground,
    decisions.automation_level,
    decisions.exclusion_reason,
    decisions.exclusion_reason is null as is_eligible,
    cast(1 as bigint) as n_decisions,
    decisions.handling_seconds,
    decisions.views_at_decision,
    decisions.confidence,
    decisions.source_system,
    decisions.recorded_at
from in_context as decisions
left join frame_cells
    on
        decisions.exclusion_reason is null
        and cast(decisions.decided_at as date) = frame_cells.calendar_date
        and decisions.decided_at >= frame_cells.period_start
        and decisions.decided_at < frame_cells.period_end
        and coalesce(decisions.queue_id, '') = coalesce(frame_cells.queue_id, '')
        and decisions.decided_by_type = frame_cells.decided_by_type
        and decisions.action_group = frame_cells.action_group
