{% macro sampling_design(strata) -%}
    with audited as (
        select
            *,
            n_audits = 1 and population_size > 1 as is_lonely,
            n_audits >= population_size as is_certain
        from {{ strata }}
        where n_audits > 0
    ),

    queue_level as (
        select
            *,
            max(case when is_lonely then 1 else 0 end)
                over (partition by design_key, queue_key) = 1 and not is_certain as is_in_queue_pool,
            sum(case when is_certain then 0 else n_audits end)
                over (partition by design_key, queue_key) as n_queue_audits
        from audited
    ),

    plan_level as (
        select
            *,
            max(case when is_in_queue_pool and n_queue_audits = 1 then 1 else 0 end)
                over (partition by design_key) = 1 and not is_certain as is_in_plan_pool
        from queue_level
    ),

    assigned as (
        select
            *,
            case
                when is_in_plan_pool then 'plan'
                when is_in_queue_pool then 'queue'
                else 'stratum'
            end as collapse_level,
            case
                when is_in_plan_pool then concat('plan|', design_key)
                when is_in_queue_pool then concat('queue|', design_key, '|', coalesce(queue_key, ''))
                else concat('stratum|', stratum_key)
            end as variance_stratum_key
        from plan_level
    ),

    variance_strata as (
        select
            variance_stratum_key,
            sum(population_size) as n_variance_population,
            sum(n_audits) as n_variance_audits
        from assigned
        group by variance_stratum_key
    )

    select
        strata.stratum_key,
        strata.design_key,
        strata.queue_key,
        strata.population_size,
        strata.n_audits,
        strata.population_size / cast(nullif(strata.n_audits, 0) as double) as weight,
        assigned.collapse_level,
        assigned.variance_stratum_key,
        cast(variance_strata.n_variance_audits as bigint) as n_variance_audits,
        case
            when assigned.is_certain then cast(0 as double)
            else
                (1 - variance_strata.n_variance_audits
                    / cast(variance_strata.n_variance_population as double))
                * variance_strata.n_variance_audits
                / cast(nullif(variance_strata.n_variance_audits - 1, 0) as double)
        end as variance_factor
    from {{ strata }} as strata
    left join assigned on strata.stratum_key = assigned.stratum_key
    left join variance_strata
        on assigned.variance_stratum_key = variance_strata.variance_stratum_key
{%- endmacro %}
