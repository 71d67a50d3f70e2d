{#- Rows that are left out under a named reason need not stop anybody, as long as they are few: a test
    with a tolerance warns of each, and fails above the share in the seed tolerances. -#}
{% macro tolerate(check_id) -%}
    {%- if check_id -%}
        {{ config(error_if='!= 0 and count(*) > coalesce(max(n_tolerated), 0)') }}
    {%- endif -%}
{%- endmacro %}

{% macro n_tolerated(model, check_id) -%}
    {%- if check_id -%}
    , (select cast(floor({{ tolerance(check_id) }} * count(*)) as bigint) from {{ model }})
        as n_tolerated
    {%- endif -%}
{%- endmacro %}

{% macro tolerance(check_id) -%}
    (select max(allowed.tolerance) from {{ ref('tolerances') }} as allowed
        where allowed.check_id = '{{ check_id }}')
{%- endmacro %}
