{#- What differs between SQL engines, and nothing else. One macro a difference, dispatched. -#}

{% macro try_cast(expression, data_type) -%}
    {{ return(adapter.dispatch('try_cast')(expression, data_type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{% macro sha256(expression) -%}
    {{ return(adapter.dispatch('sha256')(expression)) }}
{%- endmacro %}

{% macro default__sha256(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro joined_text(expression, separator=', ') -%}
    {{ return(adapter.dispatch('joined_text')(expression, separator)) }}
{%- endmacro %}

{% macro default__joined_text(expression, separator) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro session_secret(name) -%}
    {{ return(adapter.dispatch('session_secret')(name)) }}
{%- endmacro %}

{% macro default__session_secret(name) -%}
    getvariable('{{ name }}')
{%- endmacro %}

{% macro ordered_sum(expression, order_by) -%}
    {{ return(adapter.dispatch('ordered_sum')(expression, order_by)) }}
{%- endmacro %}

{% macro default__ordered_sum(expression, order_by) -%}
    sum({{ expression }} order by {{ order_by }})
{%- endmacro %}
