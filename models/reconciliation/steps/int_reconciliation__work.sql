-- From a job to its decision, from there to the audit and the appeal: how many there are, and how
-- many of them have their other side.
with decisions as (
    select * from {{ ref('fct_decisions') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

appeals as (
    select * from {{ ref('stg_appeals') }}
),

differing as (
    select * from {{ ref('int_reconciliation__work_rows') }}
),

by_day as (
    select
        decided_on as happened_on,
        count(*) as n_rows,
        count(policy_id) as n_with_policy,
        sum(case when exclusion_reason = 'reversal' then 1 else 0 end) as n_reversals
    from decisions
    group by decided_on
),

counted as (
    select
        'decisions_to_jobs' as check_name,
        happened_on,
        n_rows as n_left
    from by_day
    union all
    select
        'jobs_to_decisions' as check_name,
        {{ reporting_date('enqueued_at') }} as happened_on,
        count(*) as n_left
    from {{ ref('stg_review_jobs') }}
    group by {{ reporting_date('enqueued_at') }}
    union all
    select
        'decisions_to_policies' as check_name,
        happened_on,
        n_with_policy as n_left
    from by_day
    where n_with_policy > 0 and exists (select 1 from {{ ref('stg_decision_policies') }})
    union all
    select
        checks.check_name,
        {{ reporting_date('audits.audited_at') }} as happened_on,
        sum(
            case
                when checks.check_name = 'audits_to_decisions' or audits.is_counted then 1
                else 0
            end
        ) as n_left
    from audits
    cross join (
        values ('audits_to_decisions'), ('audits_to_what_they_saw')
    ) as checks (check_name)
    group by checks.check_name, {{ reporting_date('audits.audited_at') }}
    union all
    select
        'appeals_to_decisions' as check_name,
        {{ reporting_date('filed_at') }} as happened_on,
        count(*) as n_left
    from appeals
    group by {{ reporting_date('filed_at') }}
    union all
    select
        'grants_to_reversals' as check_name,
        {{ reporting_date('coalesce(decided_at, filed_at)') }} as happened_on,
        count(*) as n_left
    from appeals
    where outcome = 'granted'
    group by {{ reporting_date('coalesce(decided_at, filed_at)') }}
    union all
    select
        'reversals_to_grants' as check_name,
        happened_on,
        n_reversals as n_left
    from by_day
    where n_reversals > 0 and exists (select 1 from appeals)
),

by_reason as (
    select
        check_name,
        happened_on,
        reason_code,
        count(*) as n_rows,
        sum(case when is_explained then 1 else 0 end) as n_explained
    from differing
    group by check_name, happened_on, reason_code
),

named as (
    select
        check_name,
        happened_on,
        sum(n_rows) as n_rows,
        sum(n_explained) as n_explained,
        case when count(*) > 1 then 'several' else max(reason_code) end as reason_code
    from by_reason
    group by check_name, happened_on
)

select
    counted.check_name,
    counted.happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    cast(counted.n_left as double) as left_value,
    cast(counted.n_left - coalesce(named.n_rows, 0) as double) as right_value,
    cast(coalesce(named.n_explained, 0) as double) as explained_difference,
    named.reason_code,
    cast(
        case
            when counted.check_name = 'audits_to_what_they_saw'
                then greatest(1, {{ tolerance('audits_of_another_decision') }} * counted.n_left)
            else 0
        end as double
    ) as tolerance
from counted
left join named
    on
        counted.check_name = named.check_name
        and counted.happened_on is not distinct from named.happened_on
where counted.n_left > 0
