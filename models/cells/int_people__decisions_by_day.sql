with decisions as (
    select *
    from {{ ref('fct_decisions') }}
    where decided_by_type = 'human'
)

select
    moderator_key,
    decided_on,
    stratum_key,
    site,
    vendor,
    team_id,
    cast(sum(case when is_eligible then 1 else 0 end) as bigint) as n_decisions
from decisions
group by moderator_key, decided_on, stratum_key, site, vendor, team_id
