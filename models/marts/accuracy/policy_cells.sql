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

calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    select
        calendar_date,
        'week' as period_type,
        week_starts_on as period_starts_on
    from calendar
    union all
    select
        calendar_date,
        'month' as period_type,
        month_starts_on as period_starts_on
    from calendar
),

strata as (
    select
        periods.period_type,
        periods.period_starts_on,
        audits.stratum_key,
        count(*) as n_audits
    from audits
    inner join periods on audits.decided_on = periods.calendar_date
    group by periods.period_type, periods.period_starts_on, audits.stratum_key
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
    select distinct
        period_type,
        period_starts_on,
        policy_id,
        policy_version
    from counted
)

-- A stratum in which a policy was neither applied nor violated is where it was rightly not applied.
select
    named.period_type,
    named.period_starts_on,
    named.policy_id,
    named.policy_version,
    strata.stratum_key,
    cast(strata.n_audits as bigint) as n_audits,
    cast(coalesce(counted.n_decided, 0) as bigint) as n_decided,
    cast(coalesce(counted.n_true, 0) as bigint) as n_true,
    cast(coalesce(counted.n_confirmed, 0) as bigint) as n_confirmed,
    cast(coalesce(counted.n_decided - counted.n_confirmed, 0) as bigint) as n_not_confirmed,
    cast(coalesce(counted.n_true - counted.n_confirmed, 0) as bigint) as n_missed,
    cast(strata.n_audits - coalesce(counted.n_true, 0) as bigint) as n_not_true
from named
inner join strata
    on
        named.period_type = strata.period_type
        and named.period_starts_on = strata.period_starts_on
left join counted
    on
        named.period_type = counted.period_type
        and named.period_starts_on = counted.period_starts_on
        and named.policy_id = counted.policy_id
        and named.policy_version = counted.policy_version
        and strata.stratum_key is not distinct from counted.stratum_key
