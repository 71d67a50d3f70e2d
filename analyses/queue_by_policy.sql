-- A heat map of accuracy by queue and policy, of any months: what adds up, added up. Cells of
-- few people are in the column Withheld of their queue.
select
    queue_name,
    policy_parent_name,
    sum(n_audits) as n_audits,
    sum(weighted_numerator) / nullif(sum(weighted_denominator), 0) as accuracy,
    {{ cube_bound('low') }} as ci_low,
    {{ cube_bound('high') }} as ci_high
from {{ ref('accuracy_cube') }}
group by queue_name, policy_parent_name
order by queue_name, policy_parent_name
