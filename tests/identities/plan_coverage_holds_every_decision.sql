-- Counted in the facts, and in the mart: every eligible decision since the first of the last frames
-- is covered or a gap, and covered are those of the strata with an audit that counts.
with periods as (
    select
        period_start,
        rank() over (order by period_start desc) as period_rank
    from (select distinct period_start from {{ ref('int_sampling__frame') }}) as framed
),

since as (
    select cast(min(period_start) as date) as first_day
    from periods
    where period_rank <= {{ var('plan_history_periods') }}
),

audited as (
    select distinct stratum_key
    from {{ ref('fct_audits') }}
    where is_counted and stratum_key is not null
),

decided as (
    select
        count(*) as n_decisions,
        count(audited.stratum_key) as n_covered_decisions
    from {{ ref('fct_decisions') }} as decisions
    cross join since
    left join audited on decisions.stratum_key = audited.stratum_key
    where
        decisions.is_eligible
        and (decisions.decided_on >= since.first_day or since.first_day is null)
),

published as (
    select
        coalesce(sum(n_decisions), 0) as n_decisions,
        coalesce(sum(case when coverage_status = 'covered' then n_decisions end), 0)
            as n_covered_decisions
    from {{ ref('plan_coverage') }}
)

select
    decided.n_decisions,
    published.n_decisions as published_decisions,
    decided.n_covered_decisions,
    published.n_covered_decisions as published_covered_decisions
from decided
cross join published
where
    decided.n_decisions is distinct from published.n_decisions
    or decided.n_covered_decisions is distinct from published.n_covered_decisions
