with frame as (
    select * from {{ ref('int_sampling__frame') }}
),

audits as (
    select * from {{ ref('int_eligibility__audits') }}
),

decided as (
    select
        stratum_key,
        count(*) as n_eligible_decisions
    from {{ ref('fct_decisions') }}
    where is_eligible
    group by stratum_key
),

audited as (
    select
        stratum_key,
        count(*) as n_audits,
        min(inclusion_probability) as lowest_probability,
        max(inclusion_probability) as highest_probability
    from audits
    where exclusion_reason is null
    group by stratum_key
),

strata as (
    select
        frame.stratum_key,
        concat(frame.plan_id, '|', cast(frame.period_start as string)) as design_key,
        frame.queue_id as queue_key,
        frame.population_size,
        coalesce(audited.n_audits, 0) as n_audits
    from frame
    left join audited on frame.stratum_key = audited.stratum_key
),

design as (
    {{ sampling_design('strata') }}
)

select
    design.stratum_key,
    design.design_key,
    frame.plan_id,
    frame.stratum_id,
    frame.queue_id,
    frame.decided_by_type,
    frame.action_group,
    frame.period_start,
    frame.period_end,
    design.collapse_level,
    design.variance_stratum_key,
    frame.is_derived,
    design.n_audits > 0 as is_covered,
    cast(design.population_size as bigint) as population_size,
    cast(coalesce(decided.n_eligible_decisions, 0) as bigint) as n_eligible_decisions,
    -- One decision may always differ: a share of a small stratum is less than a decision.
    coalesce(
        abs(coalesce(decided.n_eligible_decisions, 0) - design.population_size)
        <= greatest(1, {{ tolerance('frame_population') }} * design.population_size),
        false
    ) as is_frame_held,
    cast(frame.planned_sample_size as bigint) as planned_sample_size,
    cast(design.n_audits as bigint) as n_audits,
    audited.lowest_probability,
    audited.highest_probability,
    design.weight,
    design.n_variance_audits,
    design.variance_factor
from design
inner join frame on design.stratum_key = frame.stratum_key
left join decided on design.stratum_key = decided.stratum_key
left join audited on design.stratum_key = audited.stratum_key
