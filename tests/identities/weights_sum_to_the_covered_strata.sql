with audits as (
    select
        stratum_key,
        sum(weight) as sum_of_weights
    from {{ ref('fct_audits') }}
    where is_counted
    group by stratum_key
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
)

select
    strata.stratum_key,
    strata.population_size,
    audits.sum_of_weights
from strata
full outer join audits on strata.stratum_key = audits.stratum_key
where
    strata.stratum_key is null
    or strata.is_covered is distinct from (audits.stratum_key is not null)
    or (
        strata.is_covered
        and (abs(audits.sum_of_weights - strata.population_size) <= 1e-6) is not true
    )
