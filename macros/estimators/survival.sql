{#- How long something takes when some of it is not over yet: Kaplan-Meier, and, where some of it ends
    in another way, Aalen-Johansen. Of cells with n, n_ended and n_decided by keys and wait_seconds. -#}

{#- Ten minutes or less by the second, up to an hour by ten seconds, more by the minute, rounded up: the
    curve of a million jobs has some thousand steps, and no wait is off by more than 2 %. -#}
{% macro wait_step(seconds) -%}
    cast(
        case
            when {{ seconds }} <= 600 then {{ seconds }}
            when {{ seconds }} <= 3600 then ceil({{ seconds }} / 10e0) * 10
            else ceil({{ seconds }} / 60e0) * 60
        end
        as bigint
    )
{%- endmacro %}

{% macro survival_curve(cells, keys) -%}
    {%- set of_group = keys | join(', ') -%}
    {%- set so_far -%}
        partition by {{ of_group }} order by wait_seconds
        rows between unbounded preceding and current row
    {%- endset -%}
    select
        stepped.*,
        {{ exact_sum('survival_before * n_decided / n_at_risk', bits=80, over=so_far) }} as incidence
    from (
        select
            summed.*,
            case when n_ended = n_at_risk then 0e0 else exp(log_survival) end as survival,
            exp(log_survival - log_step) as survival_before
        from (
            select
                at_risk.*,
                {{ exact_sum('log_step', over=so_far) }} as log_survival,
                {{ exact_sum('variance_step', bits=90, over=so_far) }} as log_variance
            from (
                select
                    counted.*,
                    case when n_ended < n_at_risk then ln(1e0 - n_ended / n_at_risk) else 0e0 end
                        as log_step,
                    case
                        when n_ended < n_at_risk
                            then n_ended / (n_at_risk * (n_at_risk - n_ended))
                        else 0e0
                    end as variance_step
                from (
                    select
                        {{ of_group }},
                        wait_seconds,
                        cast(n as double) as n,
                        cast(n_ended as double) as n_ended,
                        cast(n_decided as double) as n_decided,
                        sum(cast(n as double)) over (
                            partition by {{ of_group }} order by wait_seconds desc
                            rows between unbounded preceding and current row
                        ) as n_at_risk
                    from {{ cells }}
                ) as counted
            ) as at_risk
        ) as summed
    ) as stepped
{%- endmacro %}

{#- One row a group: quantiles ({name: share still waiting}) with the ends of their log-log interval, and
    the shares decided within horizons ({name: seconds}) with their variance. -#}
{% macro survival_summary(curve, keys, quantiles, horizons) -%}
    {#- The log of the cumulative hazard less that of the quantile, and its standard error. -#}
    {%- set log_hazard = 'ln(case when log_survival < 0 then -log_survival end)' -%}
    {%- set band = z_value() ~ ' * sqrt(log_variance) / -log_survival' -%}
    select
        {{ keys | join(', ') }},
        cast(sum(n) as bigint) as n,
        cast(sum(n_ended) as bigint) as n_ended,
        cast(sum(n_decided) as bigint) as n_decided,
        max(wait_seconds) as longest_seconds,
        min(survival) as survival_at_end,
        {% for name, share in quantiles.items() -%}
        {%- set distance = log_hazard ~ ' - ln(-ln(' ~ share ~ 'e0))' -%}
        min(case when survival <= {{ share }} + 1e-9 then wait_seconds end) as {{ name }},
        min(case when survival = 0 or {{ distance }} >= -({{ band }}) then wait_seconds end)
            as {{ name }}_ci_low,
        min(case when survival = 0 or {{ distance }} > {{ band }} then wait_seconds end)
            as {{ name }}_ci_high,
        {% endfor -%}
        {% for name, seconds in horizons.items() -%}
        {%- set before = 'wait_seconds <= ' ~ seconds -%}
        -- All of them may sum to a hair above 1.
        least(coalesce(max(case when {{ before }} then incidence end), 0e0), 1e0) as {{ name }},
        {% for term, expression in {
            'a0': 'variance_step',
            'a1': 'incidence * variance_step',
            'a2': 'incidence * incidence * variance_step',
            'b0': 'power(survival_before, 2) * n_decided * (n_at_risk - n_decided) / power(n_at_risk, 3)',
            'c0': 'survival_before * n_decided / power(n_at_risk, 2)',
            'c1': 'incidence * survival_before * n_decided / power(n_at_risk, 2)',
        }.items() -%}
        {{ exact_sum('case when ' ~ before ~ ' then ' ~ expression ~ ' else 0e0 end', bits=90) }}
            as {{ name }}_{{ term }},
        {% endfor -%}
        cast(sum(case when {{ before }} then n - n_ended else 0 end) as bigint)
            as {{ name }}_n_not_seen,
        {% endfor -%}
        count(*) as n_steps
    from {{ curve }} as curve
    group by {{ keys | join(', ') }}
{%- endmacro %}

{#- The delta method, as statsmodels and Stata's stcompet have it. Rounding may leave a hair below 0. -#}
{% macro incidence_variance(name) -%}
    greatest(
        power({{ name }}, 2) * {{ name }}_a0 - 2 * {{ name }} * {{ name }}_a1 + {{ name }}_a2
        + {{ name }}_b0 - 2 * ({{ name }} * {{ name }}_c0 - {{ name }}_c1),
        0e0
    )
{%- endmacro %}

{#- Wilson's interval, of as many as would tell as much if none were open; where nothing varies, of as many
    as were seen to end or to wait so long. -#}
{% macro incidence_bound(name, n, side) -%}
    {%- set variance = incidence_variance(name) -%}
    {%- set worth -%}
        case
            when {{ variance }} > 1e-18 and {{ name }} * (1 - {{ name }}) > 1e-12
                then {{ name }} * (1 - {{ name }}) / ({{ variance }})
            else {{ n }} - {{ name }}_n_not_seen
        end
    {%- endset -%}
    {{ wilson_bound(name, '(' ~ worth ~ ')', side) }}
{%- endmacro %}

{#- Rows of a value, counted (n), with how many of the group have it or less, for ranked_quantile. -#}
{% macro ranked_counts(relation, group, value='wait_seconds') -%}
    select
        *,
        sum(cast(n as double)) over (
            partition by {{ group | join(', ') }} order by {{ value }}
            rows between unbounded preceding and current row
        ) as n_so_far,
        sum(cast(n as double)) over (partition by {{ group | join(', ') }}) as n_all
    from {{ relation }}
{%- endmacro %}

{#- Of counts by value: the smallest value that so large a share of them does not exceed. -#}
{% macro ranked_quantile(share, value='wait_seconds', n_so_far='n_so_far', n_all='n_all') -%}
    min(case when {{ n_so_far }} >= ceil({{ share }}e0 * {{ n_all }} - 1e-9) then {{ value }} end)
{%- endmacro %}
