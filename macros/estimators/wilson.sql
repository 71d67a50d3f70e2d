{% macro z_value(level=var('confidence_level')) -%}
    {%- set known = {
        0.8: 1.2815515655446004,
        0.9: 1.6448536269514722,
        0.95: 1.959963984540054,
        0.99: 2.5758293035489004,
    } -%}
    {%- set level = level | float -%}
    {%- if level not in known -%}
        {{ exceptions.raise_compiler_error(
            'confidence_level ' ~ level ~ ' is not one of ' ~ known.keys() | join(', ')
            ~ '. Add its normal quantile to macro z_value.') }}
    {%- endif -%}
    {{ return(known[level]) }}
{%- endmacro %}

{% macro t_value(df, level=var('confidence_level')) -%}
    {%- set z = z_value(level) -%}
    {%- set level = level | float -%}
    {%- set terms = [
        (z ** 3 + z) / 4,
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
        (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
        (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
    ] -%}
    {%- set df = 'cast(' ~ df ~ ' as double)' -%}
    case
        when {{ df }} = 2 then {{ level * (2 / (1 - level * level)) ** 0.5 }}
        when {{ df }} > 2 then
            {{ z }}
            {%- for term in terms %} + {{ term }} / power({{ df }}, {{ loop.index }}){% endfor %}
    end
{%- endmacro %}

{#- Of the score interval: spread is z² / n. greatest(): what is not a number, of more successes than
    audits, would be an error where it is summed; tests of the raw data name the fault. -#}
{% macro score_bound(rate, spread, side) -%}
    {%- set bound -%}
        ({{ rate }} + {{ spread }} / 2 {{ '-' if side == 'low' else '+' }} sqrt(greatest(
            {{ spread }} * ({{ rate }} * (1 - {{ rate }}) + {{ spread }} / 4), 0e0
        ))) / (1 + {{ spread }})
    {%- endset -%}
    {{ 'greatest(' ~ bound ~ ', 0e0)' if side == 'low' else 'least(' ~ bound ~ ', 1e0)' }}
{%- endmacro %}

{% macro wilson_bound(p, n, side) -%}
    {#- As a double: z divided by a whole number is a decimal in Spark, with fewer digits. -#}
    {%- set n = 'cast(' ~ n ~ ' as double)' -%}
    {#- case, as greatest() and least() skip nulls and would turn an unknown bound into 0 or 1; they
        are there because the arithmetic may round to a hair outside [0, 1] or beyond p. -#}
    case when {{ n }} > 0 and {{ p }} is not null then {{ 'least' if side == 'low' else 'greatest' }}(
        {{ score_bound(p, '(' ~ z_value() ** 2 ~ ' / ' ~ n ~ ')', side) }}, {{ p }}
    ) end
{%- endmacro %}

{% macro near_z_value(level=var('confidence_level')) -%}
    {%- set known = {
        0.8: 0.5828415072712165,
        0.9: 1.0803193408149565,
        0.95: 1.47579102817917,
        0.99: 2.197286376641052,
    } -%}
    {#- For its error where the level is not listed. -#}
    {%- do z_value(level) -%}
    {{ return(known[level | float]) }}
{%- endmacro %}

{#- A Poisson bound of a share that few audits show, by Wilson and Hilferty; share² / variance is how
    many they are. -#}
{% macro few_seen_bound(share, variance) -%}
    {{ share }} * power(
        greatest(
            1 - {{ variance }} / (9 * {{ share }} * {{ share }})
            - {{ near_z_value() }} / 3 * sqrt(greatest({{ variance }}, 0e0)) / {{ share }},
            0e0
        ), 3
    )
{%- endmacro %}

{% macro interval_bound(p, n, side) -%}
    {%- set share = '(1 - ' ~ p ~ ')' if side == 'high' else p -%}
    {%- set bound = few_seen_bound(share, '(' ~ share ~ ' / ' ~ n ~ ')') -%}
    {%- set wilson = wilson_bound(p, n, side) -%}
    case
        when {{ n }} > 0 and {{ share }} > 0 and {{ share }} <= 0.5
            then {{ 'greatest' if side == 'high' else 'least' }}(
                {{ wilson }},
                {{ '1 - ' if side == 'high' }}{{ bound }}
            )
        else {{ wilson }}
    end
{%- endmacro %}
