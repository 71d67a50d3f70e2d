with frames as (
    select * from {{ ref('int_sampling__strata') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

correct as (
    select
        stratum_key,
        sum(n_correct) as n_correct
    from audits
    where is_counted
    group by stratum_key
),

placed as (
    select
        frames.*,
        coalesce(correct.n_correct, 0) as n_correct,
        dense_rank() over (
            partition by frames.plan_id
            order by frames.period_start desc
        ) as period_rank
    from frames
    left join correct on frames.stratum_key = correct.stratum_key
),

history as (
    select *
    from placed
    where period_rank <= {{ var('plan_history_periods') }}
),

plans as (
    select
        history.plan_id,
        cast(max(history.period_start) as date) as last_starts_on,
        cast(max(history.period_end) as date) as next_starts_on,
        sum(case when {{ add_days(
            'cast(history.period_end as date)', var('accuracy_maturity_days')
        ) }} <= cast(as_of.as_of as date) then history.n_audits end) as n_mature_audits,
        sum(case when {{ add_days(
            'cast(history.period_end as date)', var('accuracy_maturity_days')
        ) }} <= cast(as_of.as_of as date) then history.planned_sample_size end) as n_mature_planned
    from history
    cross join as_of
    group by history.plan_id
),

strata as (
    select
        plan_id,
        stratum_id,
        max(queue_id) as queue_id,
        max(decided_by_type) as decided_by_type,
        max(action_group) as action_group,
        -- Of the plan, since it has the stratum: a period without it afterwards had none of it.
        max(period_rank) as n_periods,
        sum(population_size) as population_sum,
        sum(n_audits) as n_audits_measured,
        sum(n_correct) as n_correct_measured,
        max(case when period_rank = 1 then coalesce(planned_sample_size, n_audits) end)
            as current_sample_size
    from history
    group by plan_id, stratum_id
    having min(period_rank) = 1
),

rates as (
    select
        plan_id,
        sum(n_audits_measured) as n_plan_audits,
        {{ exact_sum('population_sum * n_correct_measured / cast(n_audits_measured as double)') }}
        / sum(population_sum) as plan_rate
    from strata
    where n_audits_measured > 0
    group by plan_id
),

smoothed as (
    select
        strata.*,
        plans.next_starts_on,
        {{ days_between('plans.last_starts_on', 'plans.next_starts_on') }} as n_days,
        plans.n_mature_audits / cast(nullif(plans.n_mature_planned, 0) as double)
            as completion_rate,
        -- Half an error more: where none was found, the plan is not perfect but not yet measured.
        coalesce(
            (rates.n_plan_audits * rates.plan_rate + 0.5e0) / (rates.n_plan_audits + 1), 0.5e0
        ) as plan_rate,
        greatest(round(strata.population_sum / cast(strata.n_periods as double)), 1)
            as population_size
    from strata
    inner join plans on strata.plan_id = plans.plan_id
    left join rates on strata.plan_id = rates.plan_id
),

measured as (
    select
        *,
        -- Drawn toward the plan's rate by two audits, as in macro stratified_rate: else a stratum
        -- in which a few audits found no error would ask for none.
        (n_correct_measured + 2 * plan_rate) / (n_audits_measured + 2) as smoothed_rate
    from smoothed
)

select
    plan_id,
    stratum_id,
    queue_id,
    decided_by_type,
    action_group,
    next_starts_on as period_starts_on,
    {{ add_days('next_starts_on', 'n_days - 1') }} as period_ends_on,
    cast(n_periods as bigint) as n_history_periods,
    cast(population_size as bigint) as population_size,
    cast(n_audits_measured as bigint) as n_audits_measured,
    cast(n_correct_measured as bigint) as n_correct_measured,
    cast(least(current_sample_size, population_size) as bigint)
        as current_sample_size,
    cast(least({{ var('plan_min_per_stratum') }}, population_size) as bigint) as minimum_size,
    plan_rate,
    smoothed_rate,
    sqrt(smoothed_rate * (1 - smoothed_rate)) as standard_deviation,
    completion_rate
from measured
