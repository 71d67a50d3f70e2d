{% macro scan_statistic(relation) -%}
    select
        *,
        n_errors / nullif(expected_errors, 0e0) as ratio,
        case when n_errors >= expected_errors then 1 else -1 end
        * sqrt(
            likelihood_ratio
            / (sampling_variance + power({{ var('scan_natural_variation') }}, 2) * expected_errors)
        ) as z
    from (
        select
            *,
            -- What is as expected has 0, and not what arithmetic leaves of it, whose root would be a z.
            round(greatest(0e0, 2 * (
                case
                    when n_errors > 0 then n_errors * ln(n_errors / in_window) else 0e0
                end
                + drawn_base_errors * ln(drawn_base_errors / in_base)
            )), 12) as likelihood_ratio,
            {{ sampling_variance('risk_variance', 'risk_errors') }} as sampling_variance
        from (
            select
                *,
                risk_errors * drawn_base_errors / drawn_base_risk_errors as expected_errors,
                (n_errors + drawn_base_errors) * risk_errors
                / (risk_errors + drawn_base_risk_errors) as in_window,
                (n_errors + drawn_base_errors) * drawn_base_risk_errors
                / (risk_errors + drawn_base_risk_errors) as in_base
            from (
                select
                    *,
                    n_baseline_errors + cast({{ scan_constants().slice_errors }} as double) as drawn_base_errors,
                    baseline_risk_errors + cast({{ scan_constants().slice_errors }} as double)
                        as drawn_base_risk_errors
                from {{ relation }}
                where risk_errors > 0
            ) as drawn
        ) as expected
    ) as compared
{%- endmacro %}

{% macro sampling_variance(risk_variance, risk_errors) -%}
    greatest({{ scan_constants().least_variance }}, least(1e0, {{ risk_variance }} / {{ risk_errors }}))
{%- endmacro %}

{#- Constants of the design, that no platform sets: a thin baseline is drawn toward what is known besides, a
    risk cell toward the rate of all by so many audits, a slice toward its risk cells by so many errors; the
    least that sampling varies, relative to Poisson; days between alarms of one episode; how often drivers are
    looked for, up to which q value, and for which share of what is to be explained. -#}
{% macro scan_constants() -%}
    {{ return({
        'risk_audits': 20, 'slice_errors': 5, 'least_variance': 0.3, 'gap_days': 14,
        'rounds': 3, 'driver_q': 0.1, 'driver_share': 0.15,
    }) }}
{%- endmacro %}

{#- Benjamini and Hochberg (1995) over slices with a p_value, in two steps: windows cannot be nested. -#}
{% macro raw_q_value(by) -%}
    p_value * count(*) over (partition by {{ by | join(', ') }})
    / row_number() over (
        partition by {{ by | join(', ') }} order by p_value, dimension_name, dimension_value
    )
{%- endmacro %}

{% macro q_value(by) -%}
    least(1e0, min(raw_q_value) over (
        partition by {{ by | join(', ') }}
        order by p_value desc, dimension_name desc, dimension_value desc
        rows between unbounded preceding and current row
    ))
{%- endmacro %}

{#- The error rate of each risk cell in a baseline, of the counts of all audits by risk cell. -#}
{% macro risk_rates(cells, keys) -%}
    select
        risk_cell,
        {{ keys | join(', ') }},
        (n_baseline_errors + {{ scan_constants().risk_audits }} * all_errors / cast(all_audits as double))
        / (n_baseline_audits + {{ scan_constants().risk_audits }}) as risk_rate
    from (
        select
            *,
            sum(n_baseline_errors) over (partition by {{ keys | join(', ') }}) as all_errors,
            sum(n_baseline_audits) over (partition by {{ keys | join(', ') }}) as all_audits
        from {{ cells }}
        where dimension_name = 'overall'
    ) as of_all
    where all_audits > 0
{%- endmacro %}

{#- Counts by risk cell, summed to what scan_statistic asks. -#}
{% macro observed_and_expected(cells, rates, by, keys) -%}
    select
        cells.{{ by | join(', cells.') }},
        cast(sum(cells.n_audits) as bigint) as n_audits,
        cast(sum(cells.n_errors) as bigint) as n_errors,
        cast(sum(cells.n_baseline_audits) as bigint) as n_baseline_audits,
        cast(sum(cells.n_baseline_errors) as bigint) as n_baseline_errors,
        {{ exact_sum('cells.n_audits * rates.risk_rate') }} as risk_errors,
        {{ exact_sum('cells.n_audits * rates.risk_rate * (1 - rates.risk_rate)') }}
            as risk_variance,
        {{ exact_sum('cells.n_baseline_audits * rates.risk_rate') }} as baseline_risk_errors
    from {{ cells }} as cells
    inner join {{ rates }} as rates
        on {{ same_keys('cells', 'rates', ['risk_cell'] + keys) }}
    group by cells.{{ by | join(', cells.') }}
{%- endmacro %}

{#- How well a slice explains what happened: its likelihood ratio, less what the best of so many values of its
    dimension has by chance. -#}
{% macro driver_score(relation, dimensions) -%}
    {{ relation }}.likelihood_ratio / 2 / {{ relation }}.sampling_variance
    - ln({{ dimensions }}.n_values)
{%- endmacro %}

{#- Of rows of audits with is_in_window. -#}
{% macro window_counts() -%}
        sum(case when is_in_window then 1 else 0 end) as n_audits,
        sum(case when is_in_window then n_errors else 0 end) as n_errors,
        sum(case when is_in_window then 0 else 1 end) as n_baseline_audits,
        sum(case when is_in_window then 0 else n_errors end) as n_baseline_errors
{%- endmacro %}
