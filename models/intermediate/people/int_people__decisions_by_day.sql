with decisions as (
    select *
    from {{ ref('fct_decisions') }}
    where
        is_eligible
        and decided_by_type = 'human'
        and moderator_key is not null
        and {{ in_days_to_build('decided', 'decided_on') }}
)

select
    moderator_key,
    decided_on,
    stratum_key,
    count(*) as n_decisions
from decisions
group by moderator_key, decided_on, stratum_key
