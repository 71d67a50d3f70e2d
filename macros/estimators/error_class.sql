{% macro error_class(judged) -%}
    {#-
    The one class of an audit, by the first rule that holds; null where the audit does not say
    what was right (a blank is not "correct").
    judged: a relation with is_technical_error, has_enforced and is_violating (do the decided and
    the true action enforce), decided_action_code, decided_policy_id, final_action_code and
    final_policy_id.
    -#}
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
    {#- The classes that macro error_class gives, in the order in which they are shown. -#}
    {{ return(['correct', 'false_positive', 'false_negative', 'wrong_selection', 'technical']) }}
{%- endmacro %}

{% macro error_counts() -%}
    {#- The additive columns that count the classes: n_correct, n_false_positive … -#}
    {%- set counts = [] -%}
    {%- for class in error_classes() -%}
        {%- do counts.append('n_' ~ class) -%}
    {%- endfor -%}
    {{ return(counts) }}
{%- endmacro %}

{% macro registered_numerator(numerator, relation) -%}
    {#- The count that the metric registry (seed metrics) names as a metric's numerator. -#}
    case {{ numerator }}
        {% for count in error_counts() -%}
        when '{{ count }}' then {{ relation }}.{{ count }}
        {% endfor -%}
    end
{%- endmacro %}
