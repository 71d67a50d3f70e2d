with measured as (
    select * from {{ ref('int_planning__intervals') }}
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
    measured.n_strata,
    measured.n_strata_without_audits,
    measured.n_decisions,
    measured.n_covered_decisions,
    measured.n_audits,
    measured.n_audits - current_plan.n_audits as n_more_audits,
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
