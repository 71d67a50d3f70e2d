{%- set proposed = 'target' if var('plan_budget') is none else 'budget' -%}

with strata as (
    select * from {{ ref('int_planning__strata') }}
),

allocations as (
    select *
    from {{ ref('int_planning__allocations') }}
    where option_id = '{{ proposed }}'
),

options as (
    select *
    from {{ ref('audit_plan_options') }}
    where option_id = '{{ proposed }}' and dimension_name = 'overall'
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
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
    options.n_audits <= {{ var('plan_budget') }}
    {%- endif %} as is_within_budget,
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
    options.expected_half_width as plan_expected_half_width,
    options.current_half_width as plan_current_half_width,
    as_of.as_of
from strata
inner join allocations
    on strata.plan_id = allocations.plan_id and strata.stratum_id = allocations.stratum_id
inner join options on strata.plan_id = options.plan_id
cross join as_of
