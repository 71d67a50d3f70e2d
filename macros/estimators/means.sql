{% macro mean_bound(mean, standard_error, side, lowest=0, highest=1) -%}
    {%- set distance = z_value() ~ ' * ' ~ standard_error -%}
    {#- case, as greatest() and least() skip nulls. -#}
    case when {{ standard_error }} is not null then
        {% if side == 'low' -%}
        greatest({{ mean }} - {{ distance }}, cast({{ lowest }} as double))
        {%- else -%}
        least({{ mean }} + {{ distance }}, cast({{ highest }} as double))
        {%- endif %}
    end
{%- endmacro %}

{% macro moments(expression, name) -%}
    {#- The whole multiples of 2^-29 are for the squares: values that are equal but for their last
        digits do not vary, and the order of rows changes nothing. -#}
    {%- set whole = 'cast((' ~ expression ~ ') * power(2e0, 29) as decimal(18, 0))' -%}
    {{ exact_sum(expression) }} as {{ name }}_sum,
    cast(sum({{ whole }}) as decimal(38, 0)) as {{ name }}_whole,
    cast(sum({{ whole }} * {{ whole }}) as decimal(38, 0)) as {{ name }}_whole_squared
{%- endmacro %}

{% macro sum_moments(name) -%}
    {{ exact_sum(name ~ '_sum') }} as {{ name }}_sum,
    cast(sum({{ name }}_whole) as decimal(38, 0)) as {{ name }}_whole,
    cast(sum({{ name }}_whole_squared) as decimal(38, 0)) as {{ name }}_whole_squared
{%- endmacro %}

{% macro squared_deviations(n, name) -%}
    cast({{ n }} * {{ name }}_whole_squared - {{ name }}_whole * {{ name }}_whole as double)
    / {{ n }} / power(2e0, 58)
{%- endmacro %}
