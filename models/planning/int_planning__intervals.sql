{% set is_narrow -%}
    (
        is_on_ladder and dimension_name = 'overall'
        and coalesce(expected_half_width <= {{ var('plan_target_half_width') }}e0, false)
    )
{%- endset -%}
with allocations as (
    select
        *,
        concat(plan_id, '|', allocation_id) as design_key,
        concat(plan_id, '|', allocation_id, '|', stratum_id) as stratum_key,
        queue_id as queue_key
    from {{ ref('int_planning__allocations') }}
),

cells as (
    select
        allocations.*,
        dimensions.dimension_name,
        case dimensions.dimension_name
            when 'queue' then coalesce(allocations.queue_id, 'no single queue')
            else 'all'
        end as dimension_value
    from allocations
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
),

design as (
    {{ sampling_design('allocations') }}
),

rates as (
    {{ stratified_rate(
        'cells', 'design',
        by=['plan_id', 'allocation_id', 'dimension_name', 'dimension_value'],
        n_successes='n_correct_expected') }}
),

counted as (
    select
        plan_id,
        allocation_id,
        dimension_name,
        dimension_value,
        is_on_ladder,
        max(period_starts_on) as period_starts_on,
        count(*) as n_strata,
        sum(case when n_audits = 0 then 1 else 0 end) as n_strata_without_audits,
        sum(population_size) as n_decisions,
        sum(case when n_audits > 0 then population_size else 0 end) as n_covered_decisions,
        sum(n_audits) as n_audits
    from cells
    group by plan_id, allocation_id, dimension_name, dimension_value, is_on_ladder
),

measured as (
    select
        counted.*,
        (rates.ci_high - rates.ci_low) / 2 as expected_half_width
    from counted
    left join rates
        on {{ same_keys(
            'counted', 'rates', ['plan_id', 'allocation_id', 'dimension_name', 'dimension_value']
        ) }}
),

-- The ladder ends with an audit of all decisions, whose interval has no width.
ranked as (
    select
        *,
        row_number() over (
            partition by plan_id, {{ is_narrow }}
            order by n_audits, allocation_id
        ) as narrow_rank
    from measured
),

targeted as (
    select
        *,
        max(case when {{ is_narrow }} and narrow_rank = 1 then 1 else 0 end)
            over (partition by plan_id, allocation_id) as is_target
    from ranked
)

select
    plan_id,
    case when is_on_ladder then 'target' else allocation_id end as option_id,
    dimension_name,
    dimension_value,
    allocation_id,
    period_starts_on,
    cast(n_strata as bigint) as n_strata,
    cast(n_strata_without_audits as bigint) as n_strata_without_audits,
    cast(n_decisions as bigint) as n_decisions,
    cast(n_covered_decisions as bigint) as n_covered_decisions,
    cast(n_audits as bigint) as n_audits,
    expected_half_width
from targeted
where not is_on_ladder or is_target = 1
