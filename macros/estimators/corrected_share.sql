{#- Below, what an audit says hardly depends on what is right, and anything may come out. -#}
{% macro least_informativeness() -%}
    0.2
{%- endmacro %}

{% macro corrected_share(rates) -%}
    with bounded as (
        select
            *,
            sensitivity + specificity - 1 as informativeness,
            {{ wilson_bound('sensitivity', 'sensitivity_n', 'low') }} as sensitivity_ci_low,
            {{ wilson_bound('sensitivity', 'sensitivity_n', 'high') }} as sensitivity_ci_high,
            {{ wilson_bound('specificity', 'specificity_n', 'low') }} as specificity_ci_low,
            {{ wilson_bound('specificity', 'specificity_n', 'high') }} as specificity_ci_high
        from {{ rates }}
    ),

    solved as (
        select
            *,
            case
                when informativeness > {{ least_informativeness() }}
                    then (p + specificity - 1) / informativeness end
                as unclipped
        from bounded
    ),

    clipped as (
        select
            *,
            case
                when unclipped < 0 then cast(0 as double)
                when unclipped > 1 then cast(1 as double)
                else unclipped
            end as estimate
        from solved
    )

    select
        *,
        unclipped <> estimate as is_clipped,
        sqrt(
            power(p_standard_error, 2)
            + power(estimate, 2) * sensitivity * (1 - sensitivity) / nullif(sensitivity_n, 0)
            + power(1 - estimate, 2) * specificity * (1 - specificity) / nullif(specificity_n, 0)
        ) / informativeness as standard_error,
        -- Null stays null: greatest() and least() would skip it.
        case
            when p_ci_low is not null and estimate is not null
                then greatest(estimate - sqrt(
                    power(p - p_ci_low, 2)
                    + power(estimate * (sensitivity_ci_high - sensitivity), 2)
                    + power((1 - estimate) * (specificity - specificity_ci_low), 2)
                ) / informativeness, cast(0 as double))
        end as ci_low,
        case
            when p_ci_high is not null and estimate is not null
                then least(estimate + sqrt(
                    power(p_ci_high - p, 2)
                    + power(estimate * (sensitivity - sensitivity_ci_low), 2)
                    + power((1 - estimate) * (specificity_ci_high - specificity), 2)
                ) / informativeness, cast(1 as double))
        end as ci_high
    from clipped
{%- endmacro %}
