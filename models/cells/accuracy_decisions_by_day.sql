{{ built_by_days('decided', 'decided_on') }}

{% set counts = {
    'n_decisions': 'n_decisions',
    'n_enforced_decisions': one_where("action_group = 'enforced'"),
    'n_targeted_decisions': one_where('queue_target_at_decision is not null'),
    'target_millionths': 'coalesce(cast(round(queue_target_at_decision * 1000000) as bigint), 0)',
} -%}

with decisions as (
    select *
    from {{ ref('fct_decisions') }}
    where {{ in_days_to_build('decided', 'decided_on') }}
)

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
{{ by_dimension('decisions', counts) }} -- noqa: PRS
