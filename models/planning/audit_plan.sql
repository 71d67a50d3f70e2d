{%- set proposed = 'target' if var('plan_budget') is none else 'budget' -%}

with strata as (
    select * from {{ ref('int_planning__strata') }}
),

allocations as (
    select * from {{ ref('int_planning__allocations') }}
),

intervals as (
    select *
    from {{ ref('int_planning__intervals') }}
    where dimension_name = 'overall'
),

proposed as (
    select *
    from intervals
    where option_id = '{{ proposed }}'
),

today as (
    select *
    from intervals
    where option_id = 'current'
)

select
    strata.plan_id,
    strata.stratum_id,
    strata.period_starts_on,
    strata.period_ends_on,
    strata.queue_id,
    strata.decided_by_type,
    strata.action_group,
    '{{ proposed }}' as allocated_by,
    case
        when allocations.n_audits = strata.population_size then 'all_decisions'
        when allocations.n_audits = strata.minimum_size then 'minimum'
        else 'neyman'
    end as size_rule,
    strata.n_audits_measured > 0 as is_measured,
    strata.current_sample_size = 0 as is_uncovered_today,
    {% if var('plan_budget') is none -%}
    cast(null as boolean)
    {%- else -%}
    proposed.n_audits <= {{ var('plan_budget') }}
    {%- endif %} as is_within_budget,
    coalesce(proposed.expected_half_width <= {{ var('plan_target_half_width') }}e0, false)
        as is_target_met,
    strata.n_history_periods,
    strata.population_size,
    strata.n_audits_measured,
    strata.n_correct_measured,
    strata.current_sample_size,
    strata.minimum_size,
    allocations.n_audits as proposed_sample_size,
    -- Some audits are withdrawn or never end: more are drawn, so that enough come in.
    cast(least(
        ceil(
            allocations.n_audits / least(coalesce(nullif(strata.completion_rate, 0), 1), 1) - 1e-9
        ),
        strata.population_size
    ) as bigint) as n_to_draw,
    strata.smoothed_rate,
    strata.standard_deviation,
    strata.completion_rate,
    allocations.n_audits / cast(strata.population_size as double) as sampling_rate,
    {{ var('plan_target_half_width') }}e0 as target_half_width,
    proposed.expected_half_width as plan_expected_half_width,
    today.expected_half_width as plan_current_half_width
from strata
inner join proposed on strata.plan_id = proposed.plan_id
inner join today on strata.plan_id = today.plan_id
inner join allocations
    on
        strata.plan_id = allocations.plan_id
        and strata.stratum_id = allocations.stratum_id
        and proposed.allocation_id = allocations.allocation_id
