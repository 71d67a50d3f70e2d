{% macro standardised_rate(cells, design, mix, mix_by, group_by, cell='cell_key') -%}
    {%- set by = mix_by + group_by -%}
    {%- set keys = by | join(', ') -%}
    with matched as (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            cells.{{ cell }} as cell,
            cast(cells.n_audits as double) as n,
            cast(cells.n_successes as double) as k,
            mix.mix_share,
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

    cell_sizes as (
        select
            {{ keys }},
            cell,
            count(*) as n_strata,
            max(mix_share) as mix_share,
            {{ exact_sum('audit_weight * n') }} as cell_weight,
            {{ exact_sum('audit_weight * k') }} as cell_successes
        from matched
        group by {{ keys }}, cell
    ),

    comparable as (
        select
            {{ keys }},
            count(*) as n_cells,
            {{ exact_sum('mix_share') }} as comparable_share
        from cell_sizes
        group by {{ keys }}
    ),

    -- The audits of a cell weigh together what the cell has in the mix, over the cells that are there.
    weighted as (
        select
            matched.*,
            comparable.n_cells,
            comparable.comparable_share,
            cell_sizes.n_strata,
            cell_sizes.cell_weight,
            cell_sizes.cell_successes / cell_sizes.cell_weight as cell_rate,
            cell_sizes.mix_share / comparable.comparable_share
            * matched.audit_weight / cell_sizes.cell_weight as weight
        from matched
        inner join cell_sizes
            on matched.cell = cell_sizes.cell and {{ same_keys('matched', 'cell_sizes', by) }}
        inner join comparable on {{ same_keys('matched', 'comparable', by) }}
    ),

    rates as (
        select
            {{ keys }},
            sum(n) as n_audits,
            sum(k) as n_successes,
            max(n_cells) as n_cells,
            max(comparable_share) as comparable_share,
            -- The shares sum to one but for the last digit, which is not the same on every engine.
            case
                when sum(k) = sum(n) then 1e0 else least({{ exact_sum('weight * k') }}, 1e0)
            end as p,
            {{ exact_sum('power(weight * n, 2) * ' ~ inverse_n('audit_weight', 'n'), 100) }}
                as inverse_effective_n,
            {{ exact_sum('audit_weight * n') }} as weighted_audits
        from weighted
        group by {{ keys }}
    ),

    residuals as (
        select
            {{ keys }},
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ cell_residuals('k', 'cell_rate', 'as_observed') }}
        from weighted
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
            {% for key in by -%}
            weighted.{{ key }},
            {% endfor -%}
            weighted.n,
            weighted.k,
            rates.p,
            weighted.cell_rate,
            weighted.weight * weighted.n as share,
            {{ inverse_n('weighted.audit_weight', 'weighted.n') }} as inverse_n,
            {{ unaudited_share('weighted.audit_weight') }} as unaudited,
            -- The mix says how large a cell is, so a cell of one stratum has no size to guess.
            case
                when weighted.n_strata = 1 then 0e0
                else greatest(1 - weighted.n / weighted.n_stratum, 0e0)
            end as size_unknown,
            weighted.n < weighted.n_stratum as is_part
        from weighted
        inner join rates on {{ same_keys('weighted', 'rates', by) }}
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
        case
            when variances.variance > 0 or rates.inverse_effective_n = 0
                then sqrt(variances.variance)
        end as standard_error,
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
