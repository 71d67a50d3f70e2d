{% set cell = cube_cell() -%}
{% set keys = cell.keys() | list -%}
{% set spread = 'weight * (weight - 1)' -%}

with decisions as (
    select * from {{ ref('fct_decisions') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

counted_decisions as (
    select
        {% for name, expression in cell.items() -%}
        {{ expression }} as {{ name }},
        {% endfor -%}
        count(*) as n_decisions,
        sum(case when is_eligible then 1 else 0 end) as n_eligible_decisions,
        sum(case when is_eligible and queue_target_at_decision is not null then 1 else 0 end)
            as n_targeted_decisions,
        sum(
            case
                when is_eligible
                    then coalesce(cast(round(queue_target_at_decision * 1000000) as bigint), 0)
            end
        ) as target_millionths
    from decisions
    group by {{ range(1, 5) | join(', ') }}
),

in_design as (
    select
        audits.*,
        design.is_derived
    from audits
    left join design on audits.stratum_key = design.stratum_key
),

counted_audits as (
    select
        {% for name, expression in cell.items() -%}
        {{ expression }} as {{ name }},
        {% endfor -%}
        -- Who is not known may be one person.
        count(distinct coalesce(moderator_key, 'unknown')) as n_people,
        max(case when is_derived then 1 else 0 end) = 1 as has_derived_frame,
        sum(n_audits) as n_audits,
        sum(n_correct) as n_correct,
        {{ exact_sum('weight * n_correct') }} as weighted_numerator,
        {{ exact_sum('weight') }} as weighted_denominator,
        {{ exact_sum(spread ~ ' * n_correct', 30) }} as spread_of_correct,
        {{ exact_sum(spread ~ ' * (1 - n_correct)', 30) }} as spread_of_wrong
    from in_design
    group by {{ range(1, 5) | join(', ') }}
)

select
    {% for key in keys -%}
    decisions.{{ key }},
    {% endfor -%}
    cast(decisions.n_decisions as bigint) as n_decisions,
    cast(decisions.n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(decisions.n_targeted_decisions as bigint) as n_targeted_decisions,
    cast(coalesce(decisions.target_millionths, 0) as bigint) as target_millionths,
    {% for name in [
        'weighted_numerator', 'weighted_denominator', 'spread_of_correct', 'spread_of_wrong',
    ] -%}
    cast(coalesce(audits.{{ name }}, 0) as double) as {{ name }},
    {% endfor -%}
    coalesce(audits.has_derived_frame, false) as has_derived_frame,
    cast(coalesce(audits.n_people, 0) as bigint) as n_people,
    cast(coalesce(audits.n_audits, 0) as bigint) as n_audits,
    cast(coalesce(audits.n_correct, 0) as bigint) as n_correct
from counted_decisions as decisions
left join counted_audits as audits on {{ same_keys('decisions', 'audits', keys) }}
