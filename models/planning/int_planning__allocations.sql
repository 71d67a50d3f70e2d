with strata as (
    select * from {{ ref('int_planning__strata') }}
),

plans as (
    select
        plan_id,
        cast(sum(minimum_size) as double) as least_size,
        cast(sum(current_sample_size) as double) as current_size,
        cast(sum(population_size) as double) as population_size
    from strata
    group by plan_id
),

digits as (
    select numbers.digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as numbers (digit)
),

steps as (
    select 100 * hundreds.digit + 10 * tens.digit + ones.digit as step
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

-- From the minimum sizes up to all decisions, each step 2 % more audits: of these the plan takes
-- the fewest whose published interval is narrow enough.
ladder as (
    select distinct
        plans.plan_id,
        least(floor(plans.least_size * power(1.02e0, steps.step)), plans.population_size) as budget
    from plans
    inner join steps
        on plans.least_size * power(1.02e0, steps.step) <= 1.02e0 * plans.population_size
),

budgets as (
    select
        plan_id,
        concat('audits_', cast(cast(budget as bigint) as string)) as allocation_id,
        budget
    from ladder
    union all
    select
        plan_id,
        'same_size' as allocation_id,
        current_size as budget
    from plans
    {%- for more in var('plan_more_audits') %}
    union all
    select
        plan_id,
        'more_{{ more }}' as allocation_id,
        current_size + {{ more }} as budget
    from plans
    {%- endfor %}
    {%- if var('plan_budget') is not none %}
    union all
    select
        plan_id,
        'budget' as allocation_id,
        cast({{ var('plan_budget') }} as double) as budget
    from plans
    {%- endif %}
),

allocated as (
    {{ neyman_allocation('strata', 'budgets') }}
),

every_allocation as (
    select
        plan_id,
        allocation_id,
        stratum_id,
        n_audits
    from allocated
    union all
    select
        plan_id,
        'current' as allocation_id,
        stratum_id,
        current_sample_size as n_audits
    from strata
)

select
    strata.plan_id,
    every_allocation.allocation_id,
    strata.stratum_id,
    strata.queue_id,
    strata.period_starts_on,
    every_allocation.allocation_id like 'audits_%' as is_on_ladder,
    strata.population_size,
    every_allocation.n_audits,
    every_allocation.n_audits * strata.smoothed_rate as n_correct_expected
from every_allocation
inner join strata
    on
        every_allocation.plan_id = strata.plan_id
        and every_allocation.stratum_id = strata.stratum_id
