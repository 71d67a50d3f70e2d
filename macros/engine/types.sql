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

{% macro spark__sha256(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{% macro joined_text(expression, separator=', ') -%}
    {{ return(adapter.dispatch('joined_text')(expression, separator)) }}
{%- endmacro %}

{% macro default__joined_text(expression, separator) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro spark__joined_text(expression, separator) -%}
    {#- Joined from nothing, a text is empty in Spark; it is null, as elsewhere. -#}
    case when count({{ expression }}) > 0 then
        array_join(array_sort(collect_list({{ expression }})), '{{ separator }}')
    end
{%- endmacro %}

{% macro session_secret(name) -%}
    {{ return(adapter.dispatch('session_secret')(name)) }}
{%- endmacro %}

{% macro default__session_secret(name) -%}
    getvariable('{{ name }}')
{%- endmacro %}

{% macro spark__session_secret(name) -%}
    {#- Spark puts the parameter of the session in place of its name when it reads the statement. -#}
    {%- set parameter = '${spark.moderation_quality.' ~ name ~ '}' -%}
    {%- if execute and flags.WHICH != 'compile' -%}
        {#- A server that was not given it would leave the name, and a word in which Spark sees a
            secret gives asterisks: either would be a key that everybody knows. -#}
        {%- set known = "r\"" ~ parameter ~ "\" not like '$%' and r\"" ~ parameter ~ "\" not like '*%'" -%}
        {%- if not run_query('select ' ~ known)[0][0] -%}
            {{ exceptions.raise_compiler_error(
                'The session has no ' ~ name ~ '. Set DBT_ENV_SECRET_' ~ name | upper
                ~ ' and see server_side_parameters in profiles.yml.') }}
        {%- endif -%}
    {%- endif -%}
    r"{{ parameter }}"
{%- endmacro %}

{% macro ordered_sum(expression, order_by) -%}
    {{ return(adapter.dispatch('ordered_sum')(expression, order_by)) }}
{%- endmacro %}

{% macro default__ordered_sum(expression, order_by) -%}
    sum({{ expression }} order by {{ order_by }})
{%- endmacro %}

{% macro spark__ordered_sum(expression, order_by) -%}
    {#- Spark's sum takes no order: the rows are collected, put in order and added one by one. -#}
    aggregate(
        array_sort(
            collect_list(
                case when ({{ expression }}) is not null then
                    named_struct('place', {{ order_by }}, 'value', {{ expression }})
                end
            )
        ),
        cast(null as double),
        (total, row) -> coalesce(total + row.value, row.value)
    )
{%- endmacro %}
