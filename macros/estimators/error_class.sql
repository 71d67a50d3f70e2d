{% macro error_class(judged) -%}
    case
        when {{ judged }}.is_technical_error then 'technical'
        when {{ judged }}.has_enforced is null or {{ judged }}.is_violating is null then null
        when {{ judged }}.has_enforced and not {{ judged }}.is_violating then 'false_positive'
        when not {{ judged }}.has_enforced and {{ judged }}.is_violating then 'false_negative'
        when not {{ judged }}.has_enforced then 'correct'
        when {{ judged }}.final_policy_id is null then null
        when
            {{ judged }}.decided_action_code = {{ judged }}.final_action_code
            and {{ judged }}.decided_policy_id = {{ judged }}.final_policy_id
            then 'correct'
        else 'wrong_selection'
    end
{%- endmacro %}

{% macro error_classes() -%}
    {{ return(['correct', 'false_positive', 'false_negative', 'wrong_selection', 'technical']) }}
{%- endmacro %}

{% macro error_counts() -%}
    {%- set counts = [] -%}
    {%- for class in error_classes() -%}
        {%- do counts.append('n_' ~ class) -%}
    {%- endfor -%}
    {{ return(counts) }}
{%- endmacro %}
