{% macro action_group(actions) -%}
    case
        when {{ actions }}.is_enforcing then 'enforced'
        when not {{ actions }}.is_enforcing then 'not_enforced'
    end
{%- endmacro %}

{#- One reason a decision: the first that holds, in the order of the seed reasons. -#}
{% macro decision_exclusion(decisions, actions) -%}
    case
        when {{ actions }}.action_code is null then 'unknown_action_code'
        when {{ actions }}.exclusion_reason is not null then {{ actions }}.exclusion_reason
        when {{ decisions }}.decided_by_type in ('human', 'automation') then null
        else 'decided_by_system'
    end
{%- endmacro %}
