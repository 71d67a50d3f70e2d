{% set columns = dict(cube_cell(), **audit_measures()) -%}
{% set cell = cube_cell().keys() | list -%}

with audits as (
    select
        {% for name, expression in columns.items() -%}
        {{ expression }} as {{ name }},
        {% endfor -%}
        weight
    from {{ ref('fct_audits') }}
    where is_counted
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'accuracy_rates'
),

withheld as (
    select * from {{ ref('int_report__cube_withheld') }}
),

queues as (
    select * from {{ ref('dim_queues') }}
),

policies as (
    select * from {{ ref('dim_policies') }}
),

measured as (
    select
        metrics.metric_id,
        metrics.metric_version,
        audits.month_starts_on,
        coalesce(withheld.counted_in_queue_id, audits.queue_id) as queue_id,
        case
            -- By the policy decided everything is enforced, or nothing is: no rate of misses.
            when
                {{ is_of_the_truth('metrics') }}
                or metrics.numerator in ({{ measures_with('is_missed') }})
                then 'not_by_policy'
            when withheld.counted_in_queue_id is not null then 'withheld'
            else audits.policy_parent_id
        end as policy_parent_id,
        audits.decided_by_type,
        audits.weight,
        {{ metric_n('metrics', 'audits') }} as n,
        {{ registered_measure('metrics.numerator', 'audits') }} as numerator,
        {{ registered_measure('metrics.denominator', 'audits') }} as denominator
    from audits
    cross join metrics
    left join withheld
        on
            audits.decided_by_type = 'human'
            and {{ same_keys('audits', 'withheld', cell[:3]) }}
),

summed as (
    select
        metric_id,
        metric_version,
        {{ cell | join(', ') }},
        cast(coalesce(sum(n), 0) as bigint) as n,
        {{ exact_sum('weight * numerator') }} as weighted_numerator,
        {{ exact_sum('weight * denominator') }} as weighted_denominator
    from measured
    group by metric_id, metric_version, {{ cell | join(', ') }}
)

select
    summed.metric_id,
    summed.metric_version,
    summed.{{ cell | join(', summed.') }},
    coalesce(queues.queue_name, {{ sentence_case('summed.queue_id') }}) as queue_name,
    coalesce(policies.policy_name, {{ sentence_case('summed.policy_parent_id') }})
        as policy_parent_name,
    summed.n,
    coalesce(summed.weighted_numerator, 0e0) as weighted_numerator,
    coalesce(summed.weighted_denominator, 0e0) as weighted_denominator
from summed
left join queues on summed.queue_id = queues.queue_id
left join policies on summed.policy_parent_id = policies.policy_id
