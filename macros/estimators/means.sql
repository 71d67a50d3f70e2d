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
