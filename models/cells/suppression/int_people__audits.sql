with audits as (
    select *
    from {{ ref('fct_audits') }}
    where is_counted and decided_by_type = 'human' and moderator_key is not null
),

roster as (
    select * from {{ ref('stg_roster') }}
),

queues as (
    select * from {{ ref('stg_queues') }}
),

placed as (
    select
        audits.*,
        queues.target_accuracy,
        {{ days_between('roster.hired_on', 'audits.decided_on') }} as tenure_days
    from audits
    left join roster
        on
            audits.moderator_key = roster.person_key
            and {{ valid_at('roster', 'audits.decided_at') }}
    left join queues
        on
            audits.queue_id = queues.queue_id
            and {{ valid_at('queues', 'audits.decided_at') }}
)

select
    audit_id,
    moderator_key,
    stratum_key,
    decided_on,
    coalesce(queue_id, 'unknown') as queue_id,
    case when has_enforced then 'enforced' else 'not_enforced' end as action_group,
    coalesce(team_id, 'unknown') as team_id,
    coalesce(site, 'unknown') as site,
    coalesce(vendor, 'unknown') as vendor,
    {{ tenure_band('tenure_days') }} as tenure_band_at_decision,
    error_class = 'technical' as is_technical,
    target_accuracy as queue_target_at_decision,
    -- A technical error is the system's: the audit says nothing about the person.
    cast(case when error_class = 'technical' then 0 else 1 end as bigint) as n_audits,
    n_correct,
    n_technical,
    weight
from placed
