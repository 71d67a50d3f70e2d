{% macro label_kinds() -%}
    {{ return({
        'action_group': {
            'label': "case when is_enforcing then 'enforced' else 'not_enforced' end",
            'rank': 'case when is_enforcing then 1 else 0 end',
        },
        'action_code': {'label': 'action_code', 'rank': 'strength'},
        'policy': {
            'label': "case when is_enforcing then policy_id else 'no_policy' end",
            'rank': 'null',
        },
        'severity': {
            'label': 'severity',
            'rank': "case severity when 'none' then 0 when 'low' then 1 when 'medium' then 2"
                ~ " when 'high' then 3 when 'severe' then 4 end",
        },
    }) }}
{%- endmacro %}

{% macro rating_dimensions() -%}
    {{ return({
        'overall': "'all'",
        'session': 'session_id',
        'policy': 'item_policy_id',
        'site': "coalesce(site, 'unknown')",
        'language': "coalesce(language, 'unknown')",
    }) }}
{%- endmacro %}

{% macro by_rating_dimension(relation, day) -%}
    {{ by_period_and_dimension(relation, day, rating_dimensions()) }}
{%- endmacro %}

{% macro agreement_keys() -%}
    {{ return([
        'rating_source', 'label_kind', 'period_type', 'period_starts_on', 'dimension_name',
        'dimension_value',
    ]) }}
{%- endmacro %}
