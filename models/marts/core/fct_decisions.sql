{% set jobs_of_days -%}
    select job_id
    from {{ ref('base_decisions') }}
    where {{ in_days_to_build('decided', 'decided_on') }}
{%- endset %}

with decisions as (
    select * from {{ ref('int_context__decisions') }}
),

frame_cells as (
    select * from {{ ref('int_sampling__frame_cells') }}
)

select
    decisions.decision_id,
    decisions.job_id,
    decisions.item_id,
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
    decisions.action_code,
    decisions.action_group,
    decisions.model_version,
    decisions.exclusion_reason,
    decisions.exclusion_reason is null as is_eligible,
    cast(1 as bigint) as n_decisions,
    decisions.handling_seconds,
    decisions.views_at_decision,
    decisions.confidence,
    decisions.source_system,
    decisions.recorded_at
from decisions
left join frame_cells
    on
        decisions.exclusion_reason is null
        and cast(decisions.decided_at as date) = frame_cells.calendar_date
        and decisions.decided_at >= frame_cells.period_start
        and decisions.decided_at < frame_cells.period_end
        and coalesce(decisions.queue_id, '') = coalesce(frame_cells.queue_id, '')
        and decisions.decided_by_type = frame_cells.decided_by_type
        and decisions.action_group = frame_cells.action_group
where
    {{ in_days_to_build('decided', 'decisions.decided_on') }}
    and {{ in_range_of('decisions.job_id', jobs_of_days) }}
