{% set depth = 6 -%}

with jobs as {{ read_anew() }} (
    select * from {{ ref('stg_review_jobs') }}
),

escalated as (
    select
        job_id,
        item_id,
        decided_at
    from {{ ref('stg_decisions') }}
    where action_code = 'escalate'
),

-- A visit goes on from the last escalation of its item; an earlier job, so that no chain is a ring.
candidates as (
    select
        jobs.job_id,
        escalated.job_id as previous_job_id,
        row_number() over (
            partition by jobs.job_id
            order by escalated.decided_at desc, escalated.job_id asc
        ) as choice
    from jobs
    inner join escalated on jobs.item_id = escalated.item_id
    inner join jobs as earlier on escalated.job_id = earlier.job_id
    where
        jobs.enqueue_reason = 'escalation'
        and earlier.enqueued_at < jobs.enqueued_at
        and abs({{ seconds_between('escalated.decided_at', 'jobs.enqueued_at') }}) <= 60
),

links as (
    select
        job_id,
        previous_job_id
    from candidates
    where choice = 1
)

select
    link_1.job_id,
    link_1.previous_job_id,
    coalesce(
        {% for n in range(depth, 0, -1) -%}
        link_{{ n }}.previous_job_id{{ ',' if not loop.last }}
        {% endfor %}
    ) as first_job_id
from links as link_1
{% for n in range(2, depth + 1) -%}
left join links as link_{{ n }} on link_{{ n - 1 }}.previous_job_id = link_{{ n }}.job_id
{% endfor %}
