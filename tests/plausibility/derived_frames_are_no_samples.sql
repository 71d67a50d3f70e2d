-- Where the audited decisions are all that were handed in, a frame counted from them says that
-- everything was audited: intervals of no width around the rate of a sample.
with strata as (
    select *
    from {{ ref('int_sampling__strata') }}
    where is_derived and n_audits > 0
)

select
    sum(population_size) as n_decisions,
    sum(n_audits) as n_audits
from strata
having sum(n_audits) > 0.5 * sum(population_size)
