with decisions as (
    select *
    from {{ ref('fct_decisions') }}
    where is_eligible
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

periods as (
    select distinct
        period_start,
        period_end
    from strata
),

ranked as (
    select
        period_start,
        dense_rank() over (order by period_start desc) as period_rank
    from periods
),

since as (
    select cast(min(period_start) as date) as first_day
    from ranked
    where period_rank <= {{ var('plan_history_periods') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- By days, as a join, so that older decisions are passed over.
recent_days as (
    select calendar.calendar_date
    from calendar
    cross join since
    where calendar.calendar_date >= since.first_day or since.first_day is null
),

recent as (
    select
        decisions.decision_id,
        decisions.decided_at,
        decisions.decided_on,
        decisions.queue_id,
        decisions.decided_by_type,
        decisions.action_group,
        decisions.stratum_key
    from decisions
    where decisions.decided_on in (select recent_days.calendar_date from recent_days)
),

-- Their period has a frame, and no stratum of it takes them.
left_out as (
    select decision_id
    from recent
    where
        stratum_key is null
        and exists (
            select 1
            from periods
            where
                recent.decided_at >= periods.period_start
                and recent.decided_at < periods.period_end
        )
),

judged as (
    select
        recent.*,
        case
            when strata.is_covered then 'covered'
            when
                strata.planned_sample_size > 0
                and {{ add_days(
                    reporting_date('strata.period_end'), var('accuracy_maturity_days')
                ) }} <= {{ reporting_date('as_of.as_of') }}
                then 'planned_and_not_done'
            when strata.planned_sample_size > 0 then 'audits_not_in_yet'
            when strata.stratum_key is not null then 'stratum_without_audits'
            when left_out.decision_id is not null then 'in_no_stratum'
            else 'period_without_frame'
        end as coverage_status
    from recent
    cross join as_of
    left join strata on recent.stratum_key = strata.stratum_key
    left join left_out on recent.decision_id = left_out.decision_id
),

counted as (
    select
        coverage_status,
        coalesce(queue_id, 'unknown') as queue_id,
        decided_by_type,
        action_group,
        min(decided_on) as first_decided_on,
        max(decided_on) as last_decided_on,
        count(*) as n_decisions
    from judged
    group by coverage_status, coalesce(queue_id, 'unknown'), decided_by_type, action_group
)

select
    counted.coverage_status,
    counted.queue_id,
    counted.decided_by_type,
    counted.action_group,
    counted.first_decided_on,
    counted.last_decided_on,
    counted.coverage_status <> 'covered' as is_gap,
    cast(counted.n_decisions as bigint) as n_decisions,
    counted.n_decisions / cast(sum(counted.n_decisions) over () as double) as share_of_decisions
from counted
