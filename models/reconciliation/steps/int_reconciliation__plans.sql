-- From the frame and the plan to the audits: counted, drawn, begun and finished.
{% set missing = tolerance('missing_audits') -%}

with strata as (
    select * from {{ ref('int_sampling__strata') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

drawn as (
    select
        stratum_key,
        count(*) as n_drawn,
        sum(
            case when coalesce(exclusion_reason, '') in ('withdrawn', 'not_final') then 0 else 1 end
        ) as n_finished
    from audits
    where sampling_method in ('simple_random', 'stratified_random')
    group by stratum_key
),

by_stratum as (
    select
        concat(strata.plan_id, '|', strata.stratum_id) as stratum,
        strata.plan_id,
        cast(strata.period_start as date) as happened_on,
        {{ add_days(reporting_date('strata.period_end'), -1) }} as period_ends_on,
        strata.is_derived,
        strata.population_size,
        strata.n_eligible_decisions,
        strata.planned_sample_size,
        strata.lowest_probability,
        strata.highest_probability,
        coalesce(drawn.n_drawn, 0) as n_drawn,
        coalesce(drawn.n_finished, 0) as n_finished,
        strata.period_end + interval '{{ var("accuracy_maturity_days") }}' day > as_of.as_of
            as is_provisional
    from strata
    cross join as_of
    left join drawn on strata.stratum_key = drawn.stratum_key
),

by_plan as (
    select
        plan_id,
        happened_on,
        max(period_ends_on) as period_ends_on,
        is_provisional,
        sum(planned_sample_size) as n_planned,
        count(planned_sample_size) = count(*) as is_planned,
        sum(n_drawn) as n_drawn,
        sum(n_finished) as n_finished
    from by_stratum
    group by plan_id, happened_on, is_provisional
)

select
    'frame_to_decisions' as check_name,
    happened_on,
    period_ends_on,
    'stratum' as dimension_name,
    stratum as dimension_value,
    -- A frame that was counted from the decisions says nothing about them.
    case when not is_derived then cast(population_size as double) end as left_value,
    cast(n_eligible_decisions as double) as right_value,
    cast(0 as double) as explained_difference,
    case when is_derived then 'frame_derived' else 'frame_disagrees' end as reason_code,
    greatest(1, {{ tolerance('frame_population') }} * population_size) as tolerance
from by_stratum
union all
select
    'plan_to_drawn' as check_name,
    happened_on,
    period_ends_on,
    'plan' as dimension_name,
    plan_id as dimension_value,
    case when is_planned then cast(n_planned as double) end as left_value,
    cast(n_drawn as double) as right_value,
    cast(
        case when is_provisional and n_planned > n_drawn then n_planned - n_drawn else 0 end
        as double
    ) as explained_difference,
    case
        when not is_planned then 'not_planned'
        when is_provisional then 'provisional'
        when n_drawn > n_planned then 'more_than_planned'
        else 'audits_missing'
    end as reason_code,
    -- As the test planned_audits_are_made has it.
    {{ missing }} * n_planned + 4 * sqrt({{ missing }} * (1 - {{ missing }}) * n_planned) + 1
        as tolerance
from by_plan
union all
select
    'drawn_to_finished' as check_name,
    happened_on,
    period_ends_on,
    'plan' as dimension_name,
    plan_id as dimension_value,
    cast(n_drawn as double) as left_value,
    cast(n_finished as double) as right_value,
    cast(case when is_provisional then n_drawn - n_finished else 0 end as double)
        as explained_difference,
    case when is_provisional then 'provisional' else 'audits_unfinished' end as reason_code,
    {{ missing }} * n_drawn + 4 * sqrt({{ missing }} * (1 - {{ missing }}) * n_drawn) + 1
        as tolerance
from by_plan
where n_drawn > 0
union all
select
    'probability_to_plan' as check_name,
    happened_on,
    period_ends_on,
    'stratum' as dimension_name,
    stratum as dimension_value,
    (lowest_probability + highest_probability) / 2 as left_value,
    coalesce(planned_sample_size, n_drawn) / cast(nullif(population_size, 0) as double)
        as right_value,
    cast(0 as double) as explained_difference,
    case when lowest_probability is null then 'no_probability' else 'chance_differs' end
        as reason_code,
    -- Where no plan says how many were to be drawn, those that were are not all of them.
    case
        when planned_sample_size is null then {{ missing }}
        else {{ tolerance('frame_population') }}
    end
    * coalesce(planned_sample_size, n_drawn) / cast(nullif(population_size, 0) as double)
        as tolerance
from by_stratum
where n_drawn > 0
