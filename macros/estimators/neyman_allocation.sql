{% macro neyman_allocation(strata, budgets) -%}
    {#- The best allocation gives each stratum least(N, greatest(minimum, level * N * S)), with one
        water level for all. It is found without iterating: between two levels at which a stratum
        leaves its minimum or reaches its size, the sum of audits is linear in it. -#}
    with sized as (
        select
            plan_id,
            stratum_id,
            cast(population_size as double) as population,
            cast(minimum_size as double) as minimum,
            population_size * standard_deviation as spread,
            minimum_size / (population_size * standard_deviation) as leaves_minimum_at,
            1 / standard_deviation as is_whole_at
        from {{ strata }}
    ),

    turns as (
        select
            plan_id,
            leaves_minimum_at as water_level
        from sized
        union
        select
            plan_id,
            is_whole_at as water_level
        from sized
    ),

    at_turns as (
        select
            turns.plan_id,
            turns.water_level,
            sized.spread,
            least(sized.population, greatest(sized.minimum, turns.water_level * sized.spread)) as n,
            turns.water_level >= sized.leaves_minimum_at and turns.water_level < sized.is_whole_at as is_free
        from turns
        inner join sized on turns.plan_id = sized.plan_id
    ),

    segments as (
        select
            plan_id,
            water_level,
            {{ exact_sum('n', 40) }} as n_sum,
            {{ exact_sum('case when is_free then spread else 0 end', 40) }} as free_spread,
            {{ exact_sum('case when is_free then 0 else n end', 40) }} as fixed_n
        from at_turns
        group by plan_id, water_level
    ),

    reached as (
        select
            budgets.plan_id,
            budgets.allocation_id,
            max(segments.water_level) as water_level
        from {{ budgets }} as budgets
        inner join segments on budgets.plan_id = segments.plan_id
        where segments.n_sum <= budgets.budget
        group by budgets.plan_id, budgets.allocation_id
    ),

    solved as (
        select
            budgets.plan_id,
            budgets.allocation_id,
            budgets.budget,
            coalesce(
                case
                    when segments.free_spread = 0 then segments.water_level
                    else (budgets.budget - segments.fixed_n) / segments.free_spread
                end,
                0
            ) as water_level
        from {{ budgets }} as budgets
        left join reached
            on budgets.plan_id = reached.plan_id and budgets.allocation_id = reached.allocation_id
        left join segments
            on reached.plan_id = segments.plan_id and reached.water_level = segments.water_level
    ),

    allocated as (
        select
            solved.plan_id,
            solved.allocation_id,
            sized.stratum_id,
            solved.budget,
            least(sized.population, greatest(sized.minimum, solved.water_level * sized.spread)) as n
        from solved
        inner join sized on solved.plan_id = sized.plan_id
    ),

    -- Whole audits: the largest fractions get what is left.
    rounded as (
        select
            *,
            floor(n + 1e-9) as n_whole,
            row_number() over (
                partition by plan_id, allocation_id
                order by n - floor(n + 1e-9) desc, stratum_id
            ) as fraction_rank,
            sum(floor(n + 1e-9)) over (partition by plan_id, allocation_id) as n_whole_sum
        from allocated
    )

    select
        plan_id,
        allocation_id,
        stratum_id,
        cast(
            case
                when fraction_rank <= budget - n_whole_sum and n > n_whole + 1e-9 then n_whole + 1
                else n_whole
            end as bigint
        ) as n_audits
    from rounded
{%- endmacro %}
