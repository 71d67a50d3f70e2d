{% set of_audits = [
    'n_audits', 'n_correct', 'weighted_numerator', 'weighted_denominator', 'spread_of_correct',
    'spread_of_wrong',
] -%}

with cells as (
    select * from {{ ref('int_report__cube_cells') }}
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

marked as (
    select
        cells.*,
        withheld.counted_in_queue_id
    from cells
    left join withheld
        on
            cells.decided_by_type = 'human'
            and {{ same_keys(
                'cells', 'withheld', ['month_starts_on', 'queue_id', 'policy_parent_id']) }}
),

with_rest as (
    select
        month_starts_on,
        queue_id,
        policy_parent_id,
        decided_by_type,
        {% for name in of_audits -%}
        case when counted_in_queue_id is null then {{ name }} end as {{ name }},
        {% endfor -%}
        counted_in_queue_id is not null as is_withheld,
        has_derived_frame,
        n_decisions,
        n_eligible_decisions,
        n_targeted_decisions,
        target_millionths
    from marked
    union all
    select
        month_starts_on,
        counted_in_queue_id as queue_id,
        'withheld' as policy_parent_id,
        decided_by_type,
        {% for name in of_audits[:2] -%}
        sum({{ name }}) as {{ name }},
        {% endfor -%}
        {% for name in of_audits[2:] -%}
        {{ exact_sum(name, 30 if name.startswith('spread') else 60) }} as {{ name }},
        {% endfor -%}
        false as is_withheld,
        max(case when has_derived_frame then 1 else 0 end) = 1 as has_derived_frame,
        0 as n_decisions,
        0 as n_eligible_decisions,
        0 as n_targeted_decisions,
        0 as target_millionths
    from marked
    where counted_in_queue_id is not null
    group by month_starts_on, counted_in_queue_id, decided_by_type
)

select
    with_rest.month_starts_on,
    with_rest.queue_id,
    with_rest.policy_parent_id,
    with_rest.decided_by_type,
    coalesce(queues.queue_name, {{ sentence_case('with_rest.queue_id') }}) as queue_name,
    coalesce(policies.policy_name, {{ sentence_case('with_rest.policy_parent_id') }})
        as policy_parent_name,
    with_rest.is_withheld,
    {{ weighting('with_rest.n_audits', has_unweighted=false) }} as weighting,
    cast(with_rest.n_decisions as bigint) as n_decisions,
    cast(with_rest.n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(with_rest.n_targeted_decisions as bigint) as n_targeted_decisions,
    cast(with_rest.target_millionths as bigint) as target_millionths,
    cast(with_rest.n_audits as bigint) as n_audits,
    cast(with_rest.n_correct as bigint) as n_correct,
    with_rest.weighted_numerator,
    with_rest.weighted_denominator,
    with_rest.spread_of_correct,
    with_rest.spread_of_wrong
from with_rest
left join queues on with_rest.queue_id = queues.queue_id
left join policies on with_rest.policy_parent_id = policies.policy_id
