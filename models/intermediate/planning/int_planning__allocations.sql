with strata as (
    select * from {{ ref('int_planning__strata') }}
),

plans as (
    select
        plan_id,
        sum(current_sample_size) as current_size,
        cast(sum(population_size) as double) as population_size
    from strata
    group by plan_id
),

options as (
    select
        plan_id,
        'same_size' as option_id,
        cast(current_size as double) as budget,
        cast(null as double) as target_variance
    from plans
    union all
    select
        plan_id,
        'target' as option_id,
        cast(null as double) as budget,
        -- Of the number of correct decisions, as the allocation counts it.
        power({{ var('plan_target_half_width') }}e0 / {{ z_value() }}e0 * population_size, 2)
            as target_variance
    from plans
    {%- for more in var('plan_more_audits') %}
    union all
    select
        plan_id,
        'more_{{ more }}' as option_id,
        cast(current_size + {{ more }} as double) as budget,
        cast(null as double) as target_variance
    from plans
    {%- endfor %}
    {%- if var('plan_budget') is not none %}
    union all
    select
        plan_id,
        'budget' as option_id,
        cast({{ var('plan_budget') }} as double) as budget,
        cast(null as double) as target_variance
    from plans
    {%- endif %}
),

allocated as (
    {{ neyman_allocation('strata', 'options') }}
),

every_option as (
    select
        plan_id,
        stratum_id,
        option_id,
        n_audits
    from allocated
    union all
    select
        plan_id,
        stratum_id,
        'current' as option_id,
        current_sample_size as n_audits
    from strata
)

select
    strata.plan_id,
    every_option.option_id,
    strata.stratum_id,
    coalesce(strata.queue_id, 'all queues') as queue_id,
    strata.period_starts_on,
    strata.population_size,
    every_option.n_audits,
    -- Of the number of correct decisions in the stratum; null where no audit can tell.
    strata.population_size * (strata.population_size - every_option.n_audits)
    * strata.smoothed_rate * (1 - strata.smoothed_rate)
    / cast(nullif(every_option.n_audits, 0) as double) as variance_of_count
from every_option
inner join strata
    on
        every_option.plan_id = strata.plan_id
        and every_option.stratum_id = strata.stratum_id
