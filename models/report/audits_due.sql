with completion as (
    select * from {{ ref('audit_completion') }}
    where scope = 'stratum'
),

frame as (
    select * from {{ ref('stg_sampling_frame') }}
),

queues as (
    select * from {{ ref('dim_queues') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

strata as (
    select
        completion.plan_id,
        coalesce(frame.queue_id, 'all') as queue_id,
        {{ reporting_date('completion.period_start') }} as period_starts_on,
        {{ add_days(reporting_date('completion.period_end'), -1) }} as period_ends_on,
        {{ add_days(reporting_date('completion.period_end'), var('audits_due_days')) }} as due_on,
        completion.n_planned,
        completion.n_final,
        completion.n_not_final,
        completion.n_withdrawn,
        greatest(completion.n_planned - completion.n_final, 0) as n_missing
    from completion
    inner join frame
        on
            completion.plan_id = frame.plan_id
            and completion.stratum_id = frame.stratum_id
            and completion.period_start = frame.period_start
),

summed as (
    select
        plan_id,
        queue_id,
        period_starts_on,
        max(period_ends_on) as period_ends_on,
        max(due_on) as due_on,
        -- A stratum that plans nothing it says leaves the plan of the queue unknown.
        case when count(*) = count(n_planned) then sum(n_planned) end as n_planned,
        sum(n_final) as n_final,
        sum(n_not_final) as n_begun,
        sum(n_withdrawn) as n_withdrawn,
        case when count(*) = count(n_planned) then sum(n_missing) end as n_missing
    from strata
    group by plan_id, queue_id, period_starts_on
)

select
    summed.plan_id,
    summed.period_starts_on,
    summed.queue_id,
    coalesce(queues.queue_name, {{ sentence_case('summed.queue_id') }}) as queue_name,
    summed.period_ends_on,
    summed.due_on,
    summed.due_on < as_of.today as is_due,
    case
        when summed.n_planned is null then 'not_planned'
        when summed.n_missing = 0 then 'done'
        when summed.due_on < as_of.today then 'overdue'
        else 'open'
    end as due_status,
    cast(summed.n_planned as bigint) as n_planned,
    cast(summed.n_final as bigint) as n_final,
    cast(summed.n_begun as bigint) as n_begun,
    cast(summed.n_withdrawn as bigint) as n_withdrawn,
    cast(summed.n_missing as bigint) as n_missing,
    cast(
        case
            when summed.due_on < as_of.today or summed.n_missing is null then summed.n_missing
            else 0
        end as bigint
    )
        as n_overdue,
    cast(
        case
            when summed.n_missing > 0 and summed.due_on < as_of.today
                then {{ days_between('summed.due_on', 'as_of.today') }}
        end as bigint
    ) as days_overdue
from summed
cross join as_of
left join queues on summed.queue_id = queues.queue_id
