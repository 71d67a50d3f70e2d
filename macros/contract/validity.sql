{% macro valid_at(relation, moment) -%}
    {#- True where the half-open validity period of a row of `relation` holds the moment. -#}
    ({{ moment }} >= {{ relation }}.valid_from
        and ({{ relation }}.valid_to is null or {{ moment }} < {{ relation }}.valid_to))
{%- endmacro %}

{% macro stratum_key(plan_id, stratum_id, period_start) -%}
    {#- One stratum of one plan in one period, as one text. -#}
    concat({{ plan_id }}, '|', {{ stratum_id }}, '|', cast({{ period_start }} as string))
{%- endmacro %}
