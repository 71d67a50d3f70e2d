-- Which audits are overdue, by queue, and since when? Oldest first.
select
    plan_id,
    queue_name,
    min(due_on) as due_since,
    max(days_overdue) as days_overdue_at_most,
    sum(n_planned) as n_planned,
    sum(n_final) as n_final,
    sum(n_overdue) as n_overdue
from {{ ref('audits_due') }}
where due_status = 'overdue'
group by plan_id, queue_name
order by n_overdue desc, queue_name asc
