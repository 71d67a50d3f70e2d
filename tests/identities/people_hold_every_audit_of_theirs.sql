-- Counted in the facts, and in the mart of people over all months: no audit of a person is lost on
-- the way or told of two.
with audited as (
    select
        count(*) as n_audits,
        coalesce(sum(n_technical), 0) as n_technical_audits
    from {{ ref('fct_audits') }}
    where is_counted and decided_by_type = 'human' and moderator_key is not null
),

published as (
    select
        coalesce(sum(n + n_technical_audits), 0) as n_audits,
        coalesce(sum(n_technical_audits), 0) as n_technical_audits
    from {{ ref('moderator_accuracy') }}
    where metric_id = 'moderator_accuracy' and period_type = 'month'
)

select
    audited.n_audits,
    published.n_audits as published_audits,
    audited.n_technical_audits,
    published.n_technical_audits as published_technical_audits
from audited
cross join published
where
    audited.n_audits is distinct from published.n_audits
    or audited.n_technical_audits is distinct from published.n_technical_audits
