{% macro stratified_rate(
    cells, design, by, n='n_audits', n_successes='n_successes', typical_weight=none
) -%}
    {#- A share: every audit of the group has one point at stake, kept or lost. -#}
    {{ stratified_ratio(
        '(select *, ' ~ n ~ ' - ' ~ n_successes ~ ' as n_failures, 0 as none from ' ~ cells ~ ')',
        design, by,
        moments={
            'n': n,
            'kept': n_successes, 'lost': 'n_failures',
            'kept_kept': n_successes, 'kept_lost': 'none', 'lost_lost': 'n_failures',
        },
        typical_weight=typical_weight) }}
{%- endmacro %}

{% macro stratified_ratio(cells, design, by, moments, typical_weight=none) -%}
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
            {% for name, column in moments.items() -%}
            cast(cells.{{ column }} as double) as {{ name }},
            {% endfor -%}
            {{ 'cells.' ~ typical_weight ~ ' as typical_weight,' if typical_weight }}
            design.weight,
            design.collapse_level,
            design.variance_stratum_key,
            design.n_variance_audits,
            design.variance_factor
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
        where cells.{{ moments.n }} > 0
    ),

    totals as (
        select
            {{ keys }},
            sum(n) as n_audits,
            sum(kept) as n_successes,
            count(*) as n_strata,
            sum(case when collapse_level <> 'stratum' then 1 else 0 end) as n_collapsed_strata,
            {{ exact_sum('weight * kept') }} as weighted_numerator,
            {{ exact_sum('weight * (kept + lost)') }} as weighted_denominator,
            {%- if typical_weight %}
            max(typical_weight) as typical_weight,
            {{ exact_sum('weight * (weight - 1) * kept_kept', 30) }} as kept_variance,
            {{ exact_sum('weight * (weight - 1) * lost_lost', 30) }} as lost_variance,
            {%- endif %}
            {{ exact_sum('weight * lost') }} as weighted_lost
        from weighted
        group by {{ keys }}
    ),

    rates as (
        select
            *,
            -- Where nothing is at stake there is no rate.
            weighted_numerator / nullif(weighted_denominator, 0) as p
        from totals
    ),

    -- u = w (kept - p * (kept + lost)) / W, an audit's residual: its sum, its sum of squares, and
    -- the same with the stratum's rate drawn toward the group's.
    residuals as (
        select
            {% for key in by -%}
            weighted.{{ key }},
            {% endfor -%}
            weighted.variance_stratum_key,
            weighted.variance_factor,
            weighted.n_variance_audits,
            weighted.n,
            weighted.weight / nullif(rates.weighted_denominator, 0)
            * (weighted.kept * (1 - rates.p) - weighted.lost * rates.p) as u,
            power(weighted.weight / nullif(rates.weighted_denominator, 0), 2) * (
                weighted.kept_kept * power(1 - rates.p, 2)
                - 2 * weighted.kept_lost * rates.p * (1 - rates.p)
                + weighted.lost_lost * power(rates.p, 2)
            ) as uu,
            power(
                weighted.weight / nullif(rates.weighted_denominator, 0)
                * (weighted.kept + weighted.lost) / weighted.n, 2
            ) * rates.p * (1 - rates.p) as uu_prior,
            power(weighted.weight / nullif(rates.weighted_denominator, 0), 2)
            * (weighted.kept_kept + 2 * weighted.kept_lost + weighted.lost_lost)
                as squared_share
        from weighted
        inner join rates
            on {{ same_keys('weighted', 'rates', by) }}
    ),

    variance_strata as (
        select
            {{ keys }},
            variance_stratum_key,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ exact_sum('u', 100) }} as u_as_observed,
            {{ exact_sum('uu', 100) }} as uu_as_observed,
            {{ exact_sum('n / (n + ' ~ prior ~ ') * u', 100) }} as u_drawn,
            {{ exact_sum('n / (n + ' ~ prior ~ ') * (uu + ' ~ prior ~ ' * uu_prior)', 100) }}
                as uu_drawn,
            {{ exact_sum('squared_share', 100) }} as squared_shares
        from residuals
        group by {{ keys }}, variance_stratum_key
    ),

    variances as (
        select
            {{ keys }},
            {{ variance_sum('as_observed') }} as variance,
            {{ variance_sum('drawn') }} as stabilised_variance,
            {{ exact_sum('squared_shares', 100) }} as squared_shares
        from variance_strata
        group by {{ keys }}
    ),

    -- Kish's effective n, (Σw)²/Σw²; least(): with equal weights it may round to above n.
    measured as (
        select
            rates.*,
            case when rates.p is not null then variances.variance end as variance,
            case when rates.p is not null then variances.stabilised_variance end
                as stabilised_variance,
            least(1 / variances.squared_shares, rates.n_audits) as kish_n
        from rates
        inner join variances
            on {{ same_keys('rates', 'variances', by) }}
    ),

    effective as (
        select
            *,
            stabilised_variance / nullif(p * (1 - p) / n_audits, 0) as deff,
            case
                when stabilised_variance is null then null
                when p in (0, 1) then kish_n
                when stabilised_variance = 0 then n_audits
                -- Where few audits speak for most decisions, the variance is itself a guess: no
                -- more is claimed than halfway between all audits and what their weights leave.
                else least(p * (1 - p) / stabilised_variance, sqrt(n_audits * kish_n))
            end as effective_n
        from measured
    ),

    bounded as (
        select
            *,
            {{ interval_bound('p', 'effective_n', 'low') }} as ci_low,
            {{ interval_bound('p', 'effective_n', 'high') }} as ci_high
        from effective
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
        {{ widened_by_the_unseen('low') if typical_weight else 'ci_low' }} as ci_low,
        {{ widened_by_the_unseen('high') if typical_weight else 'ci_high' }} as ci_high
    from bounded
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
