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

{% macro squared_deviations(expression) -%}
    {#- In whole multiples of 2^-30, so that values that are equal but for their last digits have
        none, and the order of rows changes nothing. -#}
    {%- set whole = 'cast((' ~ expression ~ ') * power(2e0, 30) as decimal(19, 0))' -%}
    cast(
        count({{ expression }}) * cast(sum({{ whole }} * {{ whole }}) as decimal(38, 0))
        - cast(sum({{ whole }}) as decimal(38, 0)) * cast(sum({{ whole }}) as decimal(38, 0))
        as double
    ) / nullif(count({{ expression }}), 0) / power(2e0, 60)
{%- endmacro %}
