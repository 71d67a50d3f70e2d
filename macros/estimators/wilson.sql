{% macro z_value() -%}
    {#- The two-sided normal quantile of confidence_level. SQL engines have no inverse normal, so
        the usual levels are listed; a test compares them with scipy. -#}
    {%- set known = {
        0.8: 1.2815515655446004,
        0.9: 1.6448536269514722,
        0.95: 1.959963984540054,
        0.99: 2.5758293035489004,
    } -%}
    {%- set level = var('confidence_level') | float -%}
    {%- if level not in known -%}
        {{ exceptions.raise_compiler_error(
            'confidence_level ' ~ level ~ ' is not one of ' ~ known.keys() | join(', ')
            ~ '. Add its normal quantile to macro z_value.') }}
    {%- endif -%}
    {{ return(known[level]) }}
{%- endmacro %}

{% macro wilson_bound(p, n, side) -%}
    {#- One bound of Wilson's interval (1927) for a share p seen in n, which need not be whole:
        (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). side: low or high. -#}
    {%- set z = z_value() -%}
    {%- set zz = z * z -%}
    {#- case, not greatest() alone: it skips nulls, and would turn an unknown bound into 0. -#}
    case when {{ n }} > 0 then {{ 'greatest' if side == 'low' else 'least' }}(
        (
            {{ p }} + {{ zz }} / (2 * {{ n }})
            {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt(
                {{ p }} * (1 - {{ p }}) / {{ n }} + {{ zz }} / (4 * {{ n }} * {{ n }})
            )
        ) / (1 + {{ zz }} / {{ n }}),
        {{ 0 if side == 'low' else 1 }}
    ) end
{%- endmacro %}
