{% macro sampling_design(strata) -%}
    with audited as (
        select
            *,
            n_audits >= population_size as is_certain,
            n_audits = 1 and population_size > 1 as is_lonely
        from {{ strata }}
        where n_audits > 0
    ),

    counted as (
        select
            *,
            sum(case when is_lonely then 1 else 0 end)
                over (partition by design_key, queue_key) as n_lonely,
            sum(case when is_certain then 0 else 1 end)
                over (partition by design_key, queue_key) as n_open,
            row_number() over (
                partition by design_key, queue_key, is_lonely
                order by population_size, stratum_key
            ) as size_rank
        from audited
    ),

    -- The only open stratum of its queue has its partner in the plan.
    ranked as (
        select
            *,
            is_lonely and n_open = 1 as is_alone,
            sum(case when is_lonely and n_open = 1 then 1 else 0 end)
                over (partition by design_key) as n_alone,
            row_number() over (
                partition by design_key, is_lonely and n_open = 1
                order by population_size, stratum_key
            ) as alone_rank
        from counted
    ),

    nearest as (
        select
            one.stratum_key,
            other.stratum_key as partner_key,
            row_number() over (
                partition by one.stratum_key
                order by abs(one.population_size - other.population_size), other.stratum_key
            ) as distance_rank
        from ranked as one
        inner join ranked as other
            on
                one.design_key = other.design_key
                and one.stratum_key <> other.stratum_key
                and (one.is_alone or one.queue_key is not distinct from other.queue_key)
        where
            one.is_lonely
            and not other.is_certain
            and case when one.is_alone then one.n_alone else one.n_lonely end = 1
    ),

    partners as (
        select
            stratum_key,
            partner_key
        from nearest
        where distance_rank = 1
    ),

    in_queues as (
        select
            ranked.*,
            case
                when ranked.is_alone and ranked.n_alone > 1
                    then concat('plan|', ranked.design_key, '|', {{ pair_number('ranked.n_alone', 'ranked.alone_rank') }})
                when ranked.is_lonely and ranked.n_lonely > 1
                    then concat(
                        'queue|', ranked.design_key, '|', coalesce(ranked.queue_key, ''), '|',
                        {{ pair_number('ranked.n_lonely', 'ranked.size_rank') }}
                    )
                when ranked.is_lonely and not ranked.is_alone
                    then concat('stratum|', partners.partner_key)
                else concat('stratum|', ranked.stratum_key)
            end as group_key
        from ranked
        left join partners on ranked.stratum_key = partners.stratum_key
    ),

    grouped as (
        select
            in_queues.*,
            coalesce(of_partner.group_key, in_queues.group_key) as variance_stratum_key
        from in_queues
        left join partners
            on in_queues.is_alone and in_queues.stratum_key = partners.stratum_key
        left join in_queues as of_partner on partners.partner_key = of_partner.stratum_key
    ),

    assigned as (
        select
            *,
            case
                when count(*) over (partition by variance_stratum_key) = 1 then 'stratum'
                when max(case when is_alone then 1 else 0 end)
                    over (partition by variance_stratum_key) = 1 then 'plan'
                else 'queue'
            end as collapse_level,
            sum(population_size) over (partition by variance_stratum_key) as n_variance_population,
            sum(n_audits) over (partition by variance_stratum_key) as n_variance_audits
        from grouped
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
        cast(assigned.n_variance_audits as bigint) as n_variance_audits,
        case
            when assigned.is_certain then cast(0 as double)
            else
                (1 - assigned.n_variance_audits / cast(assigned.n_variance_population as double))
                * assigned.n_variance_audits
                / cast(nullif(assigned.n_variance_audits - 1, 0) as double)
        end as variance_factor
    from {{ strata }} as strata
    left join assigned on strata.stratum_key = assigned.stratum_key
{%- endmacro %}

{% macro pair_number(count, rank) -%}
    {#- 1, 1, 2, 2, ...: what is left over by an odd count joins the last pair. -#}
    cast(cast(
        least(floor(({{ rank }} + 1) / 2e0), floor({{ count }} / 2e0)) as bigint
    ) as string)
{%- endmacro %}
