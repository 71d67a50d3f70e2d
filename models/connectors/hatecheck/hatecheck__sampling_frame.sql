with labels as (
    select * from {{ ref('hatecheck__labels') }}
),

queues as (
    select * from {{ ref('hatecheck__queues') }}
),

strata as (
    select
        queues.queue_id,
        case when labels.has_enforced then 'enforced' else 'not_enforced' end as action_group,
        count(*) as population_size,
        -- Risk-heavy on purpose: a label of a high-risk queue is six times as likely to be audited.
        count(*) * case when queues.risk_tier = 'high' then 6 else 1 end as risk_size
    from labels
    inner join queues on labels.functional_class = queues.queue_id
    group by queues.queue_id, queues.risk_tier, labels.has_enforced
)

select
    'hatecheck_risk_heavy' as plan_id,
    concat(queue_id, '-', action_group) as stratum_id,
    cast('2021-08-01' as timestamp) as period_start,
    cast('2021-08-02' as timestamp) as period_end,
    'stratified_random' as sampling_method,
    queue_id,
    'human' as decided_by_type,
    action_group,
    population_size,
    -- At least three audits a stratum, so that each can give a variance.
    least(
        population_size,
        greatest(
            3,
            cast(
                round({{ var('hatecheck_audits') }} * risk_size / sum(risk_size) over ()) as bigint
            )
        )
    ) as planned_sample_size,
    cast('2021-08-02' as timestamp) as framed_at,
    'hatecheck' as source_system,
    cast('2021-08-02' as timestamp) as recorded_at
from strata
