{% macro stratified_rate(cells, design, by, n='n_audits', n_successes='n_successes') -%}
    {%- set keys = by | join(', ') -%}
    {#- Pseudo-audits with which a stratum's rate is drawn toward the group's: metrics.md and the
        coverage study say why 2. -#}
    {%- set prior = 2 -%}
    with weighted as (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            cells.stratum_key,
            cast(cells.{{ n }} as double) as n,
            cast(cells.{{ n_successes }} as double) as k,
            design.weight,
            design.collapse_level,
            design.variance_stratum_key,
            design.n_variance_audits,
            design.variance_factor
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
        where cells.{{ n }} > 0
    ),

    totals as (
        select
            {{ keys }},
            sum(n) as n_audits,
            sum(k) as n_successes,
            count(*) as n_strata,
            sum(case when collapse_level <> 'stratum' then 1 else 0 end) as n_collapsed_strata,
            {{ exact_sum('weight * k') }} as weighted_numerator,
            {{ exact_sum('weight * n') }} as weighted_denominator,
            {{ exact_sum('weight * weight * n') }} as squared_weights
        from weighted
        group by {{ keys }}
    ),

    rates as (
        select
            *,
            weighted_numerator / weighted_denominator as p,
            -- Kish's effective n, (Σw)²/Σw²; least(): with equal weights it may round to above n.
            least(power(weighted_denominator, 2) / squared_weights, n_audits) as kish_n
        from totals
    ),

    drawn as (
        select
            weighted.*,
            rates.p,
            rates.weighted_denominator as w_sum,
            weighted.n * (weighted.k + {{ prior }} * rates.p) / (weighted.n + {{ prior }})
                as k_drawn
        from weighted
        inner join rates
            on {% for key in by -%}
            weighted.{{ key }} is not distinct from rates.{{ key }}{{ ' and ' if not loop.last }}
            {%- endfor %}
    ),

    residuals as (
        select
            {{ keys }},
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ residual_sums('k', 'p', 'as_observed') }},
            {{ residual_sums('k_drawn', 'p', 'drawn') }}
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
            variances.variance,
            variances.stabilised_variance
                / nullif(rates.p * (1 - rates.p) / rates.n_audits, 0) as deff,
            case
                when variances.stabilised_variance is null then null
                when rates.p in (0, 1) then rates.kish_n
                when variances.stabilised_variance = 0 then rates.n_audits
                -- Where few audits speak for most decisions, the variance is itself a guess: no
                -- more is claimed than halfway between all audits and what their weights leave.
                else least(
                    rates.p * (1 - rates.p) / variances.stabilised_variance,
                    sqrt(rates.n_audits * rates.kish_n)
                )
            end as effective_n
        from rates
        inner join variances
            on {% for key in by -%}
            rates.{{ key }} is not distinct from variances.{{ key }}{{ ' and ' if not loop.last }}
            {%- endfor %}
    )

    select
        {{ keys }},
        cast(n_audits as bigint) as n_audits,
        cast(n_successes as bigint) as n_successes,
        cast(n_strata as bigint) as n_strata,
        cast(n_collapsed_strata as bigint) as n_collapsed_strata,
        weighted_numerator,
        weighted_denominator,
        p as estimate,
        sqrt(variance) as standard_error,
        deff as design_effect,
        effective_n,
        {{ interval_bound('p', 'effective_n', 'low') }} as ci_low,
        {{ interval_bound('p', 'effective_n', 'high') }} as ci_high
    from effective
{%- endmacro %}

{% macro residual_sums(successes, p, name) -%}
    {%- set residual = 'weight / w_sum * (' ~ successes ~ ' - n * ' ~ p ~ ')' -%}
    {%- set squared_residual -%}
        weight * weight / (w_sum * w_sum)
        * ({{ successes }} * (1 - {{ p }}) * (1 - {{ p }}) + (n - {{ successes }}) * {{ p }} * {{ p }})
    {%- endset -%}
    {{ exact_sum(residual, 100) }} as u_{{ name }},
    {{ exact_sum(squared_residual, 100) }} as uu_{{ name }}
{%- endmacro %}

{% macro variance_sum(name) -%}
    {%- set squares -%}
        variance_factor
        * greatest(uu_{{ name }} - u_{{ name }} * u_{{ name }} / n_variance_audits, 0)
    {%- endset -%}
    case when count(*) = count(variance_factor) then
        {{ exact_sum(squares, 100) }}
    end
{%- endmacro %}
