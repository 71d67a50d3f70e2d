{% set keys = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set counts = {
    'n_overturned_decisions': 'n_decisions',
    'n_overturned_enforcements': one_where("action_group = 'enforced'"),
} -%}

with decisions as {{ read_anew() }} (
    select * from {{ ref('fct_decisions') }}
),

population as (
    select *
    from {{ ref('accuracy_population') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

superseding as (
    select
        supersedes_decision_id,
        action_code,
        policy_id,
        decided_by_type,
        exclusion_reason
    from decisions
    where supersedes_decision_id is not null
),

-- A source that never says what a decision replaces does not say that nothing was overturned.
recorded as (
    select count(*) > 0 as is_recorded
    from superseding
),

-- Who skips or escalates does not decide, so they overturn nothing.
replacing as (
    select *
    from superseding
    where
        decided_by_type = 'human'
        and coalesce(exclusion_reason, 'reversal') = 'reversal'
),

-- By their ids first: they are few, and engines that do not know it join the whole history.
replaced as (
    select *
    from decisions
    where
        is_eligible
        and decision_id in (select replacing.supersedes_decision_id from replacing)
),

-- Replaced by the same, a decision was confirmed.
overturned as (
    select *
    from replaced
    where exists (
        select 1
        from replacing
        where
            replacing.supersedes_decision_id = replaced.decision_id
            and (
                replacing.action_code is distinct from replaced.action_code
                or replacing.policy_id is distinct from replaced.policy_id
            )
    )
),

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
daily as (
    {{ by_dimension('overturned', counts) }} -- noqa: PRS
),

in_periods as (
    {{ by_period('daily', 'decided_on') }}
),

counted as (
    select
        {{ keys | join(', ') }},
        sum(n_overturned_decisions) as n_overturned_decisions,
        sum(n_overturned_enforcements) as n_overturned_enforcements
    from in_periods
    group by {{ keys | join(', ') }}
),

shown as (
    select
        population.period_type,
        population.period_starts_on,
        population.period_ends_on,
        population.dimension_name,
        population.dimension_value,
        {% for name in ['n_eligible_decisions', 'n_eligible_enforced_decisions'] -%}
        case
            when {{ work_is_shown('population.dimension_name', 'suppressed.suppression_code') }}
                then population.{{ name }}
        end as {{ name }},
        {% endfor -%}
        {% for name in counts -%}
        case
            when recorded.is_recorded and suppressed.suppression_code is null
                then cast(coalesce(counted.{{ name }}, 0) as bigint)
        end as {{ name }},
        {% endfor -%}
        recorded.is_recorded,
        suppressed.suppression_code,
        population.n_eligible_decisions as n
    from population
    cross join recorded
    left join suppressed on {{ same_keys('population', 'suppressed', keys) }}
    left join counted on {{ same_keys('population', 'counted', keys) }}
    where population.period_type in ('week', 'month')
)

select
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    period_ends_on,
    {{ reason_code(['suppression_code', 'is_recorded', 'n']) }} as reason_code,
    n_eligible_decisions,
    n_eligible_enforced_decisions,
    n_overturned_decisions,
    n_overturned_enforcements,
    n_overturned_decisions / cast(nullif(n_eligible_decisions, 0) as double)
        as overturned_rate,
    n_overturned_enforcements
    / cast(nullif(n_eligible_enforced_decisions, 0) as double)
        as enforcement_overturned_rate
from shown
