{% macro standardised_rate(cells, design, mix, mix_by, group_by, cell='cell_key') -%}
    {%- set by = mix_by + group_by -%}
    {%- set keys = by | join(', ') -%}
    {#- Sums over windows, not joins of sums: Spark computes a step anew for each use of it. -#}
    with matched as (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            cells.{{ cell }} as cell,
            cast(cells.n_audits as double) as n,
            cast(cells.n_successes as double) as k,
            mix.mix_share,
            design.stratum_key,
            design.weight as audit_weight,
            design.n_audits as n_stratum,
            design.variance_stratum_key,
            design.n_variance_audits,
            design.variance_factor
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
        inner join {{ mix }} as mix
            on
                cells.{{ cell }} = mix.{{ cell }}
                {% for key in mix_by -%}
                and cells.{{ key }} = mix.{{ key }}
                {% endfor %}
        where cells.n_audits > 0
    ),

    in_cells as (
        select
            *,
            {%- set of_cell = 'partition by ' ~ keys ~ ', cell' %}
            count(*) over ({{ of_cell }}) as n_strata,
            row_number() over ({{ of_cell }} order by stratum_key) as place_in_cell,
            {{ exact_sum('audit_weight * n', over=of_cell) }} as cell_weight,
            {{ exact_sum('audit_weight * k', over=of_cell) }} as cell_successes
        from matched
    ),

    in_groups as (
        select
            *,
            cell_successes / cell_weight as cell_rate,
            {%- set of_group = 'partition by ' ~ keys %}
            sum(case when place_in_cell = 1 then 1 else 0 end) over ({{ of_group }}) as n_cells,
            {{ exact_sum('case when place_in_cell = 1 then mix_share else 0 end', over=of_group) }}
                as comparable_share
        from in_cells
    ),

    -- The audits of a cell weigh together what the cell has in the mix, over the cells that are there.
    weighted as (
        select
            *,
            mix_share / comparable_share * audit_weight / cell_weight as weight
        from in_groups
    ),

    centred as (
        select
            *,
            -- The shares sum to one but for the last digit, which is not the same on every engine.
            case
                when sum(k) over ({{ of_group }}) = sum(n) over ({{ of_group }}) then 1e0
                else least({{ exact_sum('weight * k', over=of_group) }}, 1e0)
            end as p
        from weighted
    ),

    rates as (
        select
            {{ keys }},
            sum(n) as n_audits,
            sum(k) as n_successes,
            max(n_cells) as n_cells,
            max(comparable_share) as comparable_share,
            max(p) as p,
            {{ exact_sum('power(weight * n, 2) * ' ~ inverse_n('audit_weight', 'n'), 100) }}
                as inverse_effective_n,
            {{ exact_sum('audit_weight * n') }} as weighted_audits
        from centred
        group by {{ keys }}
    ),

    residuals as (
        select
            {{ keys }},
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ cell_residuals('k', 'cell_rate', 'as_observed') }}
        from centred
        group by {{ keys }}, variance_stratum_key
    ),

    variances as (
        select
            {{ keys }},
            {{ variance_sum('as_observed') }} as variance
        from residuals
        group by {{ keys }}
    ),

    shares as (
        select
            {{ keys }},
            n,
            k,
            p,
            cell_rate,
            weight * n as share,
            {{ inverse_n('audit_weight', 'n') }} as inverse_n,
            {{ unaudited_share('audit_weight') }} as unaudited,
            -- The mix says how large a cell is, so a cell of one stratum has no size to guess.
            case
                when n_strata = 1 then 0e0 else greatest(1 - n / n_stratum, 0e0)
            end as size_unknown,
            n < n_stratum as is_part
        from centred
    ),

    bounds as (
        {{ stratified_wilson('shares', by, centre='cell_rate') }}
    )

    select
        {% for key in by -%}
        rates.{{ key }},
        {% endfor -%}
        cast(rates.n_audits as bigint) as n_audits,
        cast(rates.n_successes as bigint) as n_successes,
        cast(rates.n_cells as bigint) as n_cells,
        rates.comparable_share,
        rates.p as estimate,
        {{ seen_standard_error('variances.variance', 'rates.inverse_effective_n') }},
        coalesce(1 / nullif(rates.inverse_effective_n, 0), rates.weighted_audits) as effective_n,
        bounds.ci_low,
        bounds.ci_high
    from rates
    inner join variances on {{ same_keys('rates', 'variances', by) }}
    inner join bounds on {{ same_keys('rates', 'bounds', by) }}
{%- endmacro %}

{% macro cell_residuals(successes, rate, name) -%}
    {%- set squares -%}
        weight * weight * (
            {{ successes }} * power(1 - {{ rate }}, 2)
            + (n - {{ successes }}) * power({{ rate }}, 2)
        )
    {%- endset -%}
    {{ exact_sum('weight * (' ~ successes ~ ' - n * ' ~ rate ~ ')', 100) }} as u_{{ name }},
    {{ exact_sum(squares, 100) }} as uu_{{ name }}
{%- endmacro %}

{% macro summed_cells(cells, by) -%}
    select
        {{ by | join(', ') }},
        sum(n_audits) as n_audits,
        sum(n_successes) as n_successes
    from {{ cells }}
    group by {{ by | join(', ') }}
{%- endmacro %}
