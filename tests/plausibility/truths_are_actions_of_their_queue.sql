-- A table of codes that was shifted gives truths that nobody in the queue ever decides. A few may
-- be rare actions.
with taken as (
    select distinct
        queue_id,
        action_code
    from {{ ref('fct_decisions') }}
),

audits as (
    select
        queue_id,
        truth_action_code,
        count(*) as n_audits,
        sum(count(*)) over (partition by queue_id) as n_queue_audits
    from {{ ref('fct_audits') }}
    where is_counted
    group by queue_id, truth_action_code
)

select
    audits.queue_id,
    audits.truth_action_code,
    audits.n_audits,
    audits.n_queue_audits
from audits
left join taken
    on
        audits.queue_id is not distinct from taken.queue_id
        and audits.truth_action_code = taken.action_code
where
    taken.action_code is null
    and audits.truth_action_code is not null
    and audits.n_audits > greatest(5, 0.05 * audits.n_queue_audits)
