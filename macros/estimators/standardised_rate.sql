{% macro standardised_rate(cells, design, mix, mix_by, group_by, cell='cell_key') -%}
    {%- set by = mix_by + group_by -%}
    {%- set keys = by | join(', ') -%}
    {%- set prior = 2 -%}
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
            design.collapse_level,
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
            {{ exact_sum('weight * n') }} as weight_sum,
            {{ exact_sum('weight * weight * n') }} as squared_weights
        from weighted
        group by {{ keys }}
    ),

    -- Toward the rate of the whole, as macro stratified_rate draws: no cell knows itself perfectly.
    drawn as (
        select
            weighted.*,
            weighted.n * (weighted.k + {{ prior }} * rates.p) / (weighted.n + {{ prior }})
                as k_drawn
        from weighted
        inner join rates on {{ same_keys('weighted', 'rates', by) }}
    ),

    residuals as (
        select
            {{ keys }},
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ cell_residuals('k', 'cell_rate', 'as_observed') }},
            {{ cell_residuals('k_drawn', 'cell_rate', 'drawn') }}
        from drawn
        group by {{ keys }}, variance_stratum_key
    ),

    variances as (
        select
            {{ keys }},
            {{ variance_sum('as_observed') }} as variance,
            {{ variance_sum('drawn') }} as stabilised_variance
        from residuals
        group by {{ keys }}
    ),

    effective as (
        select
            rates.*,
            least(power(rates.weight_sum, 2) / rates.squared_weights, rates.n_audits) as kish_n,
            variances.variance,
            variances.stabilised_variance
        from rates
        inner join variances on {{ same_keys('rates', 'variances', by) }}
    ),

    with_n as (
        select
            *,
            case
                when stabilised_variance is null then null
                when n_successes in (0, n_audits) then kish_n
                when stabilised_variance = 0 then n_audits
                else least(p * (1 - p) / stabilised_variance, sqrt(n_audits * kish_n))
            end as effective_n
        from effective
    )

    select
        {{ keys }},
        cast(n_audits as bigint) as n_audits,
        cast(n_successes as bigint) as n_successes,
        cast(n_cells as bigint) as n_cells,
        comparable_share,
        p as estimate,
        sqrt(variance) as standard_error,
        effective_n,
        {{ interval_bound('p', 'effective_n', 'low') }} as ci_low,
        {{ interval_bound('p', 'effective_n', 'high') }} as ci_high
    from with_n
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
