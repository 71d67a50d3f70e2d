{% macro valid_at(relation, moment) -%}
    ({{ moment }} >= {{ relation }}.valid_from
        and ({{ relation }}.valid_to is null or {{ moment }} < {{ relation }}.valid_to))
{%- endmacro %}

{% macro stratum_key(plan_id, stratum_id, period_start) -%}
    concat({{ plan_id }}, '|', {{ stratum_id }}, '|', cast({{ period_start }} as string))
{%- endmacro %}

{% macro policy_depth() -%}
    {#- The tree is climbed this often; policies_climb_to_a_top says whether that is enough. -#}
    {{ return(6) }}
{%- endmacro %}
