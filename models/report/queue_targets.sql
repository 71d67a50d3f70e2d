with queues as (
    select * from {{ ref('stg_queues') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
)

select
    queues.queue_id,
    queues.valid_from,
    queues.valid_to,
    queues.queue_name,
    queues.risk_tier,
    queues.target_accuracy,
    queues.target_turnaround_minutes,
    queues.valid_from <= as_of.as_of
    and (queues.valid_to is null or queues.valid_to > as_of.as_of) as is_current,
    queues.target_accuracy - lag(queues.target_accuracy) over (
        partition by queues.queue_id order by queues.valid_from
    ) as target_accuracy_change
from queues
cross join as_of
