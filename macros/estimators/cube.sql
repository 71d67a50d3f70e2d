{#- The cell of decisions and of audits alike, as expressions over fct_decisions or fct_audits. -#}
{% macro cube_cell() -%}
    {{ return({
        'month_starts_on': 'cast(date_trunc(\'month\', decided_on) as date)',
        'queue_id': "coalesce(queue_id, 'unknown')",
        'policy_parent_id': "coalesce(parent_policy_id, policy_id, 'no_policy')",
        'decided_by_type': "coalesce(decided_by_type, 'unknown')",
    }) }}
{%- endmacro %}

{#- An interval from columns that add up. The spread is of audits drawn each by itself: what strata take
    away from it, sums do not know. -#}
{% macro cube_bound(side, of=none) -%}
    {%- set of = of or {} -%}
    {%- set numerator = of.get('weighted_numerator', 'sum(weighted_numerator)') -%}
    {%- set denominator = 'nullif(' ~ of.get('weighted_denominator', 'sum(weighted_denominator)') ~ ', 0)' -%}
    {%- set correct = of.get('spread_of_correct', 'sum(spread_of_correct)') -%}
    {%- set wrong = of.get('spread_of_wrong', 'sum(spread_of_wrong)') -%}
    {%- set rate = '(' ~ numerator ~ ' / ' ~ denominator ~ ')' -%}
    {%- set by_plan = 'power(' ~ denominator ~ ', 2) / nullif(' ~ correct ~ ' + ' ~ wrong ~ ', 0)' -%}
    {%- set by_errors -%}
        {{ rate }} * (1 - {{ rate }}) * power({{ denominator }}, 2)
        / nullif(power(1 - {{ rate }}, 2) * {{ correct }} + power({{ rate }}, 2) * {{ wrong }}, 0)
    {%- endset -%}
    {{ wilson_bound(rate, 'least(coalesce(nullif(' ~ by_errors ~ ', 0), ' ~ by_plan ~ '), ' ~ by_plan ~ ')', side) }}
{%- endmacro %}
