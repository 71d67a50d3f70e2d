{% macro stratified_mean(cells, design, by, name) -%}
    {%- set keys = by | join(', ') -%}
    with weighted as (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            cells.n,
            cells.{{ name }}_sum as total,
            {{ squared_deviations('cells.n', 'cells.' ~ name) }} as squares,
            design.weight,
            design.variance_stratum_key,
            design.variance_factor,
            design.n_variance_audits
        from {{ cells }} as cells
        left join {{ design }} as design on cells.stratum_key = design.stratum_key
        where {{ computed_once() }}
    ),

    totals as (
        select
            {{ keys }},
            sum(n) as n,
            sum(case when weight is not null then n else 0 end) as n_weighted,
            {{ exact_sum('total') }} / sum(n) as mean,
            {{ exact_sum('weight * n') }} as weight_sum,
            {{ exact_sum('weight * total') }} / nullif({{ exact_sum('weight * n') }}, 0)
                as weighted_mean
        from weighted
        group by {{ keys }}
    ),

    -- Squares inside a cell, and of the cell's mean from that of the group.
    residuals as (
        select
            {% for key in by -%}
            totals.{{ key }},
            {% endfor -%}
            totals.n as n_all,
            weighted.variance_stratum_key,
            weighted.variance_factor,
            weighted.n_variance_audits,
            weighted.squares + power(weighted.total - weighted.n * totals.mean, 2) / weighted.n
                as squares,
            weighted.weight / totals.weight_sum
            * (weighted.total - weighted.n * totals.weighted_mean) as u,
            power(weighted.weight / totals.weight_sum, 2) * (
                weighted.squares
                + power(weighted.total - weighted.n * totals.weighted_mean, 2) / weighted.n
            ) as uu
        from weighted
        inner join totals on {{ same_keys('weighted', 'totals', by) }}
    ),

    variance_strata as (
        select
            {{ keys }},
            n_all,
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ exact_sum('squares') }} as squares,
            {{ exact_sum('u', 100) }} as u_weighted,
            {{ exact_sum('uu', 100) }} as uu_weighted
        from residuals
        group by {{ keys }}, n_all, variance_stratum_key
    ),

    spreads as (
        select
            {{ keys }},
            sqrt({{ exact_sum('squares') }} / nullif(n_all - 1, 0) / n_all) as standard_error
        from variance_strata
        group by {{ keys }}, n_all
    ),

    weighted_spreads as (
        select
            {{ keys }},
            sqrt({{ variance_sum('weighted') }}) as weighted_standard_error
        from variance_strata
        where variance_stratum_key is not null
        group by {{ keys }}
    )

    select
        {% for key in by -%}
        totals.{{ key }},
        {% endfor -%}
        totals.n_weighted,
        totals.mean,
        spreads.standard_error,
        totals.weighted_mean,
        weighted_spreads.weighted_standard_error
    from totals
    inner join spreads on {{ same_keys('totals', 'spreads', by) }}
    left join weighted_spreads on {{ same_keys('totals', 'weighted_spreads', by) }}
{%- endmacro %}
