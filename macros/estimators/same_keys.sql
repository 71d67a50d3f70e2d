{% macro same_keys(left, right, keys) -%}
    {% for key in keys -%}
    {{ left }}.{{ key }} is not distinct from {{ right }}.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
