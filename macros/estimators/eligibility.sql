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

{#- How a decision ends the wait of its job. A skip does not: somebody else has to look. -#}
{% macro job_end(decisions, actions) -%}
    case
        when {{ decisions }}.action_code = 'skip' then 'skipped'
        when {{ decisions }}.action_code = 'escalate' then 'escalated'
        when {{ actions }}.action_code is null then 'other'
        when {{ actions }}.exclusion_reason in ('reversal', 'appeal_answered') then 'answered'
        when {{ decision_exclusion(decisions, actions) }} is null then 'decided'
        else 'auto_closed'
    end
{%- endmacro %}
