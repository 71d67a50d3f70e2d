with allocations as (
    select * from {{ ref('int_planning__allocations') }}
),

by_dimension as (
    select
        allocations.*,
        dimensions.dimension_name,
        case dimensions.dimension_name
            when 'queue' then allocations.queue_id
            else 'all'
        end as dimension_value
    from allocations
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
),

summed as (
    select
        plan_id,
        option_id,
        dimension_name,
        dimension_value,
        max(period_starts_on) as period_starts_on,
        count(*) as n_strata,
        sum(case when n_audits = 0 then 1 else 0 end) as n_strata_without_audits,
        sum(population_size) as n_decisions,
        sum(case when n_audits > 0 then population_size else 0 end) as n_covered_decisions,
        sum(n_audits) as n_audits,
        {{ exact_sum('variance_of_count', 40) }} as variance_of_count
    from by_dimension
    group by plan_id, option_id, dimension_name, dimension_value
),

measured as (
    select
        *,
        {{ z_value() }}e0 * sqrt(variance_of_count)
        / cast(nullif(n_covered_decisions, 0) as double) as expected_half_width
    from summed
),

current_plan as (
    select *
    from measured
    where option_id = 'current'
)

select
    measured.plan_id,
    measured.option_id,
    measured.dimension_name,
    measured.dimension_value,
    measured.period_starts_on,
    cast(measured.n_strata as bigint) as n_strata,
    cast(measured.n_strata_without_audits as bigint) as n_strata_without_audits,
    cast(measured.n_decisions as bigint) as n_decisions,
    cast(measured.n_covered_decisions as bigint) as n_covered_decisions,
    cast(measured.n_audits as bigint) as n_audits,
    cast(measured.n_audits - current_plan.n_audits as bigint) as n_more_audits,
    measured.n_covered_decisions / cast(nullif(measured.n_decisions, 0) as double)
        as coverage_rate,
    measured.expected_half_width,
    current_plan.expected_half_width as current_half_width,
    measured.expected_half_width / nullif(current_plan.expected_half_width, 0) - 1
        as half_width_change,
    cast({{ var('confidence_level') }} as double) as confidence_level
from measured
inner join current_plan
    on
        measured.plan_id = current_plan.plan_id
        and measured.dimension_name = current_plan.dimension_name
        and measured.dimension_value = current_plan.dimension_value
