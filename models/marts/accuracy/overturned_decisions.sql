{% set counts = {
    'n_overturned_decisions': 'n_decisions',
    'n_overturned_enforcements': one_where("action_group = 'enforced'"),
} -%}

with decisions as (
    select * from {{ ref('fct_decisions') }}
),

population as (
    select * from {{ ref('accuracy_population') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
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

-- Replaced by the same, a decision was confirmed.
overturned as (
    select *
    from decisions
    where
        is_eligible
        and exists (
            select 1
            from replacing
            where
                replacing.supersedes_decision_id = decisions.decision_id
                and (
                    replacing.action_code is distinct from decisions.action_code
                    or replacing.policy_id is distinct from decisions.policy_id
                )
        )
),

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
daily as (
    {{ by_dimension('overturned', counts) }} -- noqa: PRS
),

periods as (
    select
        calendar_date,
        'week' as period_type,
        week_starts_on as period_starts_on
    from calendar
    union all
    select
        calendar_date,
        'month' as period_type,
        month_starts_on as period_starts_on
    from calendar
),

counted as (
    select
        periods.period_type,
        periods.period_starts_on,
        daily.dimension_name,
        daily.dimension_value,
        sum(daily.n_overturned_decisions) as n_overturned_decisions,
        sum(daily.n_overturned_enforcements) as n_overturned_enforcements
    from daily
    inner join periods on daily.decided_on = periods.calendar_date
    group by
        periods.period_type,
        periods.period_starts_on,
        daily.dimension_name,
        daily.dimension_value
)

select
    population.period_type,
    population.period_starts_on,
    population.dimension_name,
    population.dimension_value,
    population.period_ends_on,
    {{ period_status('population.period_ends_on', 'as_of.as_of', var('overturn_maturity_days')) }}
        as period_status,
    population.n_eligible_decisions,
    population.n_eligible_enforced_decisions,
    case
        when not recorded.is_recorded then 'not_recorded'
        when population.n_eligible_decisions = 0 then 'no_decisions'
    end as reason_code,
    {% for name, of in {
        'n_overturned_decisions': 'n_eligible_decisions',
        'n_overturned_enforcements': 'n_eligible_enforced_decisions',
    }.items() -%}
    case
        when recorded.is_recorded then cast(coalesce(counted.{{ name }}, 0) as bigint)
    end as {{ name }},
    case
        when recorded.is_recorded
            then
                coalesce(counted.{{ name }}, 0)
                / cast(nullif(population.{{ of }}, 0) as double)
    end as {{ 'overturned_rate' if loop.first else 'enforcement_overturned_rate' }},
    {% endfor -%}
    as_of.as_of
from population
cross join as_of
cross join recorded
left join counted
    on
        population.period_type = counted.period_type
        and population.period_starts_on = counted.period_starts_on
        and population.dimension_name = counted.dimension_name
        and population.dimension_value = counted.dimension_value
where population.period_type <> 'day'
