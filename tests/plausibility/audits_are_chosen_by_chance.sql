-- Within a stratum chance alone chooses what is audited, so every group has about its share of
-- the audits. One with far more or fewer was chosen, or its audits went missing, and the weights,
-- which are the stratum's, do not know. A person is a group too. Surprise is as in
-- errors_are_found_as_elsewhere, of too many as well as of too few.
with by_dimension as (
    select
        dimension_name,
        dimension_value,
        concat(stratum_key, '|', cast(period_starts_on as string)) as cell_key,
        sum(n_decisions) as n_decisions,
        sum(n_audits) as n_audits
    from {{ ref('accuracy_cells') }}
    where period_type = 'week' and exclusion_reason is null and stratum_key is not null
    group by dimension_name, dimension_value, stratum_key, period_starts_on
),

decided as (
    select
        moderator_key,
        stratum_key,
        count(*) as n_decisions
    from {{ ref('fct_decisions') }}
    where is_eligible and stratum_key is not null
    group by moderator_key, stratum_key
),

audited as (
    select
        moderator_key,
        stratum_key,
        count(*) as n_audits
    from {{ ref('fct_audits') }}
    where is_counted
    group by moderator_key, stratum_key
),

by_moderator as (
    select
        'moderator' as dimension_name,
        decided.moderator_key as dimension_value,
        decided.stratum_key as cell_key,
        decided.n_decisions,
        coalesce(audited.n_audits, 0) as n_audits
    from decided
    left join audited
        on
            decided.moderator_key is not distinct from audited.moderator_key
            and decided.stratum_key = audited.stratum_key
),

groups as (
    select * from by_dimension
    union all
    select * from by_moderator
),

shared as (
    select
        *,
        sum(n_audits) over (partition by dimension_name, cell_key) * n_decisions
        / cast(sum(n_decisions) over (partition by dimension_name, cell_key) as double)
            as n_expected
    from groups
),

compared as (
    select
        dimension_name,
        dimension_value,
        sum(n_decisions) as n_decisions,
        sum(n_audits) as n_audits,
        sum(n_expected) as n_expected
    from shared
    where dimension_value is not null
    group by dimension_name, dimension_value
)

select
    dimension_name,
    dimension_value,
    n_decisions,
    n_audits,
    n_expected
from compared
where
    n_expected > 0
    and n_expected - n_audits
    + case when n_audits > 0 then n_audits * ln(n_audits / n_expected) else 0 end > 16
