{% set keys = ['period_type', 'period_starts_on', 'policy_id', 'policy_version'] -%}

with audits as (
    select *
    from {{ ref('fct_audits') }}
    where
        coalesce(exclusion_reason, 'no_frame') = 'no_frame'
        and error_class <> 'technical'
),

labels as (
    select * from {{ ref('int_truth__policy_labels') }}
),

policies as (
    select * from {{ ref('stg_policies') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    {{ by_period('calendar', 'calendar_date') }}
),

in_force as (
    select
        audits.decided_on,
        audits.stratum_key,
        policies.policy_id,
        policies.policy_version,
        count(*) as n_audits
    from audits
    inner join policies on {{ valid_at('policies', 'audits.decided_at') }}
    group by
        audits.decided_on, audits.stratum_key, policies.policy_id, policies.policy_version
),

daily as (
    select
        decided_on,
        stratum_key,
        count(*) as n_audits
    from audits
    group by decided_on, stratum_key
),

versions as (
    select
        audit_id,
        policy_id,
        'all' as policy_version,
        is_decided,
        is_true
    from labels
    union all
    select
        audit_id,
        policy_id,
        policy_version_at_decision as policy_version,
        is_decided,
        is_true
    from labels
    where policy_version_at_decision is not null
),

counted as (
    select
        periods.period_type,
        periods.period_starts_on,
        versions.policy_id,
        versions.policy_version,
        audits.stratum_key,
        sum(case when versions.is_decided then 1 else 0 end) as n_decided,
        sum(case when versions.is_true then 1 else 0 end) as n_true,
        sum(case when versions.is_decided and versions.is_true then 1 else 0 end) as n_confirmed
    from versions
    inner join audits on versions.audit_id = audits.audit_id
    inner join periods on audits.decided_on = periods.calendar_date
    group by
        periods.period_type,
        periods.period_starts_on,
        versions.policy_id,
        versions.policy_version,
        audits.stratum_key
),

named as (
    select distinct {{ keys | join(', ') }}
    from counted
),

-- A version can be missed, or applied wrongly, only while it is in force.
at_stake as (
    select
        named.{{ keys | join(', named.') }},
        daily.stratum_key,
        sum(daily.n_audits) as n_audits
    from daily
    inner join periods on daily.decided_on = periods.calendar_date
    inner join named
        on {{ same_keys('periods', 'named', keys[:2]) }} and named.policy_version = 'all'
    group by named.{{ keys | join(', named.') }}, daily.stratum_key
    union all
    select
        named.{{ keys | join(', named.') }},
        in_force.stratum_key,
        sum(in_force.n_audits) as n_audits
    from in_force
    inner join periods on in_force.decided_on = periods.calendar_date
    inner join named
        on
            {{ same_keys('periods', 'named', keys[:2]) }}
            and {{ same_keys('in_force', 'named', keys[2:]) }}
    group by named.{{ keys | join(', named.') }}, in_force.stratum_key
)

-- A stratum in which a policy was neither applied nor violated is where it was rightly not applied.
select
    at_stake.{{ keys | join(', at_stake.') }},
    at_stake.stratum_key,
    cast(at_stake.n_audits as bigint) as n_audits,
    cast(coalesce(counted.n_decided, 0) as bigint) as n_decided,
    cast(coalesce(counted.n_true, 0) as bigint) as n_true,
    cast(coalesce(counted.n_confirmed, 0) as bigint) as n_confirmed,
    cast(coalesce(counted.n_decided - counted.n_confirmed, 0) as bigint) as n_not_confirmed,
    cast(coalesce(counted.n_true - counted.n_confirmed, 0) as bigint) as n_missed,
    cast(at_stake.n_audits - coalesce(counted.n_true, 0) as bigint) as n_not_true
from at_stake
left join counted on {{ same_keys('at_stake', 'counted', keys + ['stratum_key']) }}
