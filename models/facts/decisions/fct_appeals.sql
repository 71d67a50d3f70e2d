with appeals as (
    select * from {{ ref('stg_appeals') }}
),

-- By their ids first: they are few, and engines that do not know it join the whole history.
concerned as (
    select *
    from {{ ref('fct_decisions') }}
    where
        decision_id in (select appeals.decision_id from appeals)
        or supersedes_decision_id in (select appeals.decision_id from appeals)
),

replaced as (
    {{ replacements('concerned') }}
),

in_context as (
    select
        appeals.appeal_id,
        appeals.decision_id,
        appeals.channel,
        appeals.filed_at,
        appeals.decided_at as answered_at,
        appeals.notified_at,
        appeals.outcome,
        appeals.source_system,
        appeals.recorded_at,
        decisions.item_id,
        decisions.decided_at,
        decisions.decided_on,
        decisions.queue_id,
        decisions.policy_id,
        decisions.parent_policy_id,
        decisions.decided_by_type,
        decisions.automation_level,
        decisions.moderator_key,
        decisions.language,
        decisions.region,
        decisions.item_type,
        decisions.action_code,
        decisions.ground,
        replaced.reversed_at,
        case decisions.action_group
            when 'enforced' then 'affected'
            when 'not_enforced' then 'notifier'
        end as appellant,
        case
            when decisions.decision_id is null then 'no_decision'
            when not decisions.is_eligible then 'not_appealable'
            when {{ is_replaced_at_once('decisions', 'replaced') }} then 'replaced_at_once'
            when
                appeals.filed_at < decisions.decided_at
                - interval '{{ var("max_clock_skew_minutes") }}' minute
                then 'filed_before_decision'
        end as exclusion_reason
    from appeals
    left join concerned as decisions on appeals.decision_id = decisions.decision_id
    left join replaced on appeals.decision_id = replaced.decision_id
)

select
    appeal_id,
    decision_id,
    item_id,
    appellant,
    channel,
    filed_at,
    {{ reporting_date('filed_at') }} as filed_on,
    answered_at,
    {{ reporting_date('answered_at') }} as answered_on,
    notified_at,
    outcome,
    reversed_at is not null as is_reversed,
    reversed_at,
    decided_at,
    decided_on,
    queue_id,
    policy_id,
    parent_policy_id,
    decided_by_type,
    automation_level,
    moderator_key,
    language,
    region,
    item_type,
    action_code,
    ground,
    exclusion_reason,
    exclusion_reason is null as is_in_rates,
    case
        when outcome = 'pending' then null
        when answered_at is null then 'answer_not_dated'
        when answered_at < filed_at then 'answered_before_filed'
    end as time_exclusion_reason,
    cast(
        row_number() over (
            partition by decision_id, exclusion_reason is null order by filed_at, appeal_id
        ) as bigint
    ) as appeal_number,
    source_system,
    recorded_at
from in_context
