with strata as (
    select * from {{ ref('int_sampling__strata') }}
)

select
    stratum_key,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    population_size,
    n_eligible_decisions,
    cast(n_eligible_decisions - population_size as bigint) as difference,
    (n_eligible_decisions - population_size) / cast(nullif(population_size, 0) as double)
        as difference_share,
    {{ tolerance('frame_population') }} as tolerance,
    is_frame_held as is_within_tolerance,
    planned_sample_size,
    n_audits,
    n_audits / cast(nullif(planned_sample_size, 0) as double) as audit_completion_rate
from strata
