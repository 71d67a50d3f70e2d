-- Counted at both ends of the layer: what staging has, and what the mart says over all months.
with staged as (
    select
        (select count(*) from {{ ref('stg_decisions') }}) as n_decisions,
        (select count(distinct audit_id) from {{ ref('stg_audits') }}) as n_audits
),

published as (
    select
        coalesce(sum(n_decisions), 0) as n_decisions,
        coalesce(sum(n + n_excluded_audits), 0) as n_audits
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1
        and metric_version = 1
        and period_type = 'month'
        and dimension_name = 'overall'
)

select
    staged.n_decisions as staged_decisions,
    published.n_decisions as published_decisions,
    staged.n_audits as staged_audits,
    published.n_audits as published_audits
from staged
cross join published
where
    staged.n_decisions is distinct from published.n_decisions
    or staged.n_audits is distinct from published.n_audits
