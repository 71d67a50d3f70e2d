{% set outcomes = {
    'n_complaints': 'true',
    'n_upheld': "outcome = 'denied'",
    'n_partially_reversed': "outcome = 'partial'",
    'n_reversed': "outcome = 'granted'",
    'n_omitted': "outcome = 'withdrawn'",
    'n_pending': "outcome = 'pending'",
    'n_implemented': "outcome in ('granted', 'partial') and is_reversed",
    'n_newly_restricted': 'is_newly_restricted',
    'n_not_notified': "outcome <> 'pending' and notified_at is null",
} -%}

with appeals as (
    select * from {{ ref('fct_appeals') }}
    where is_in_rates and {{ is_in_dsa_territory('region') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

notices as (
    select
        item_id,
        min(received_at) as received_at,
        min(case when is_trusted then received_at end) as flagged_at
    from {{ ref('int_dsa__requests') }}
    where request_kind = 'notice'
    group by item_id
),

-- What a notifier's complaint led to: restricted after all.
restricted_later as (
    select
        supersedes_decision_id as decision_id,
        max(decided_at) as decided_at
    from {{ ref('fct_decisions') }}
    where action_group = 'enforced' and supersedes_decision_id is not null
    group by supersedes_decision_id
),

-- A complaint about a warning, or about a report that is no notice, is none in the sheet's sense.
in_kinds as (
    select
        appeals.*,
        case
            when appeals.appellant = 'notifier' and notices.flagged_at <= appeals.decided_at
                then 'no_action_on_trusted_notice'
            when appeals.appellant = 'notifier' and notices.received_at <= appeals.decided_at
                then 'no_action_on_notice'
            when appeals.appellant = 'notifier' then 'not_counted'
            when actions.dsa_restriction like 'visibility%' then 'visibility'
            when actions.dsa_restriction like 'service%' then 'service'
            when actions.dsa_restriction like 'account%' then 'account'
            when actions.dsa_restriction like 'monetary%' then 'monetary'
            else 'not_counted'
        end as complaint_kind,
        appeals.appellant = 'notifier' and appeals.outcome in ('granted', 'partial')
        and coalesce(restricted_later.decided_at >= appeals.filed_at, false)
            as is_newly_restricted,
        case
            when
                appeals.outcome in ('granted', 'partial', 'denied')
                and appeals.time_exclusion_reason is null
                then coalesce(appeals.notified_at, appeals.answered_at)
        end as told_at
    from appeals
    left join actions on appeals.action_code = actions.action_code
    left join notices on appeals.item_id = notices.item_id
    left join restricted_later on appeals.decision_id = restricted_later.decision_id
),

in_periods as (
    {{ by_dsa_period('in_kinds', 'filed_on') }}
),

-- The total is of those who were restricted; those who notified are apart, in either channel.
scoped as (
    select
        *,
        case channel when 'out_of_court' then 'out_of_court' else 'internal' end as scope
    from in_periods
    where complaint_kind <> 'not_counted' and (appellant = 'affected' or channel = 'out_of_court')
    union all
    select
        *,
        complaint_kind as scope
    from in_periods
    where channel = 'internal'
    union all
    select
        *,
        'newly_restricted' as scope
    from in_periods
    where channel = 'internal' and complaint_kind <> 'not_counted' and is_newly_restricted
)

select
    period_type,
    period_starts_on,
    scope,
    {% for name, condition in outcomes.items() -%}
    cast(sum({{ one_where(condition) }}) as bigint) as {{ name }},
    {% endfor -%}
    count(told_at) as n_answered,
    {{ median_hours(seconds_between('filed_at', 'told_at')) }} as median_hours
from scoped
group by period_type, period_starts_on, scope
