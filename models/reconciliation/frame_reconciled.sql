with strata as (
    select * from {{ ref('int_sampling__strata') }}
),

decisions as (
    select * from {{ ref('fct_decisions') }}
),

tolerances as (
    select * from {{ ref('tolerances') }}
    where check_id = 'frame_population'
),

counted as (
    select
        stratum_key,
        count(*) as n_eligible_decisions
    from decisions
    where is_eligible
    group by stratum_key
),

compared as (
    select
        strata.*,
        coalesce(counted.n_eligible_decisions, 0) as n_eligible_decisions,
        tolerances.tolerance
    from strata
    cross join tolerances
    left join counted on strata.stratum_key = counted.stratum_key
)

select
    stratum_key,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    population_size,
    cast(n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(n_eligible_decisions - population_size as bigint) as difference,
    (n_eligible_decisions - population_size) / cast(nullif(population_size, 0) as double)
        as difference_share,
    tolerance,
    -- One decision may always differ: a share of a small stratum is less than a decision.
    abs(n_eligible_decisions - population_size) <= greatest(1, tolerance * population_size)
        as is_within_tolerance,
    planned_sample_size,
    n_audits,
    n_audits / cast(nullif(planned_sample_size, 0) as double) as audit_completion_rate
from compared
