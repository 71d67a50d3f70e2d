-- Counted in the last frame of every plan, and in both marts of the next one: no stratum is lost on
-- the way, and the plan that is proposed is the option that is told of.
with ranked as (
    select
        plan_id,
        rank() over (partition by plan_id order by period_start desc) as period_rank
    from {{ ref('int_sampling__frame') }}
),

framed as (
    select
        plan_id,
        count(*) as n_strata
    from ranked
    where period_rank = 1
    group by plan_id
),

proposed as (
    select
        plan_id,
        max(allocated_by) as option_id,
        count(*) as n_strata,
        sum(population_size) as n_decisions,
        sum(proposed_sample_size) as n_audits
    from {{ ref('audit_plan') }}
    group by plan_id
),

-- Over all strata, and over the queues that make them up.
told as (
    select
        plan_id,
        option_id,
        dimension_name,
        sum(n_strata) as n_strata,
        sum(n_decisions) as n_decisions,
        sum(n_audits) as n_audits,
        count(*) over (partition by plan_id, dimension_name) as n_options
    from {{ ref('audit_plan_options') }}
    group by plan_id, option_id, dimension_name
),

expected as (
    select
        framed.plan_id,
        dimensions.dimension_name,
        framed.n_strata
    from framed
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
)

select
    expected.plan_id,
    expected.dimension_name,
    expected.n_strata as framed_strata,
    proposed.n_strata as planned_strata,
    told.n_strata as told_strata,
    proposed.n_decisions as planned_decisions,
    told.n_decisions as told_decisions,
    proposed.n_audits as planned_audits,
    told.n_audits as told_audits,
    told.n_options
from expected
left join proposed on expected.plan_id = proposed.plan_id
left join told
    on
        expected.plan_id = told.plan_id
        and expected.dimension_name = told.dimension_name
        and proposed.option_id = told.option_id
where
    expected.n_strata is distinct from proposed.n_strata
    or expected.n_strata is distinct from told.n_strata
    or proposed.n_decisions is distinct from told.n_decisions
    or proposed.n_audits is distinct from told.n_audits
    -- Current, same_size, target, so many more, and the budget.
    or told.n_options is distinct from {{
        3 + var('plan_more_audits') | length + (1 if var('plan_budget') is not none else 0)
    }}
