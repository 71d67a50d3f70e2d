{% set of_people = "'" ~ roster_dimensions() | join("', '") ~ "'" -%}
-- Counted in the facts, on no path of the mart, for every kind of period and dimension; and in each
-- group what the population leaves out. Where a group is withheld, the sum is short of it.
with excluded as (
    select exclusion_reason as reason_code from {{ ref('fct_decisions') }}
    union all
    select exclusion_reason as reason_code from {{ ref('fct_audits') }}
),

in_facts as (
    select
        reason_code,
        count(*) as n_excluded
    from excluded
    where reason_code is not null
    group by reason_code
),

exclusions as (
    select * from {{ ref('exclusions') }}
),

population as (
    select *
    from {{ ref('accuracy_population') }}
    where
        period_type in ('week', 'month')
        or (period_type = 'day' and dimension_name not in ({{ of_people }}))
),

kinds as (
    select distinct
        period_type,
        dimension_name
    from population
),

of_kinds as (
    select
        period_type,
        dimension_name,
        reason_code,
        sum(n_excluded) as n_shown,
        count(*) > count(n_excluded) as has_withheld
    from exclusions
    group by period_type, dimension_name, reason_code
),

of_groups as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        dimension_value,
        sum(n_excluded) as n_shown,
        count(*) > count(n_excluded) as has_withheld
    from exclusions
    group by period_type, period_starts_on, dimension_name, dimension_value
),

compared as (
    select
        kinds.period_type,
        cast(null as date) as period_starts_on,
        kinds.dimension_name,
        in_facts.reason_code as of_what,
        in_facts.n_excluded,
        of_kinds.n_shown,
        of_kinds.has_withheld
    from kinds
    cross join in_facts
    left join of_kinds
        on
            kinds.period_type = of_kinds.period_type
            and kinds.dimension_name = of_kinds.dimension_name
            and in_facts.reason_code = of_kinds.reason_code
    union all
    select
        population.period_type,
        population.period_starts_on,
        population.dimension_name,
        population.dimension_value as of_what,
        population.n_excluded_decisions + population.n_excluded_audits as n_excluded,
        of_groups.n_shown,
        of_groups.has_withheld
    from population
    left join of_groups
        on
            population.period_type = of_groups.period_type
            and population.period_starts_on = of_groups.period_starts_on
            and population.dimension_name = of_groups.dimension_name
            and population.dimension_value = of_groups.dimension_value
)

select *
from compared
where
    not coalesce(has_withheld, false)
    and coalesce(n_shown, 0) is distinct from n_excluded
