-- Audits that are planned and not there may be the ones that found errors. Asked once the audits of
-- a period are due; could_move_by is the most that their absence can have moved a share.
with completion as (
    select audit_completion.*
    from {{ ref('audit_completion') }} as audit_completion
    cross join {{ ref('int_context__as_of') }} as as_of
    where
        audit_completion.n_planned > 0
        and audit_completion.period_end + interval '{{ var("audits_due_days") }}' day < as_of.as_of
),

both_scopes as (
    select
        scope,
        plan_id,
        stratum_id,
        period_start,
        n_planned,
        n_counted
    from completion
    union all
    select
        'all periods' as scope,
        plan_id,
        'all' as stratum_id,
        null as period_start,
        sum(n_planned) as n_planned,
        sum(n_counted) as n_counted
    from completion
    where scope = 'stratum'
    group by plan_id
),

expected as (
    select
        *,
        {{ tolerance('missing_audits') }} as missing_share
    from both_scopes
)

select
    scope,
    plan_id,
    stratum_id,
    period_start,
    n_planned,
    n_counted,
    (n_planned - n_counted) / cast(n_planned as double) as could_move_by
from expected
-- Beyond the tolerated share by more than chance alone: four standard errors and one audit of a
-- stratum, of which there are many, three standard errors of the whole.
where
    n_planned - n_counted
    > missing_share * n_planned
    + case when scope = 'all periods' then 3 else 4 end
    * sqrt(missing_share * (1 - missing_share) * n_planned)
    + 1
