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

{% macro by_rating_dimension(relation, day) -%}
    {%- set dimensions = {
        'overall': "'all'",
        'session': 'session_id',
        'policy': 'item_policy_id',
        'site': "coalesce(site, 'unknown')",
        'language': "coalesce(language, 'unknown')",
    } -%}
    select
        dated.*,
        dimensions.dimension_name,
        case dimensions.dimension_name
            {% for name, expression in dimensions.items() -%}
            when '{{ name }}' then {{ expression }}
            {% endfor -%}
        end as dimension_value
    from (
        select
            *,
            'week' as period_type,
            {{ week_start(day) }} as period_starts_on
        from {{ relation }}
        union all
        select
            *,
            'month' as period_type,
            cast(date_trunc('month', {{ day }}) as date) as period_starts_on
        from {{ relation }}
    ) as dated
    cross join (
        {% for name in dimensions -%}
        select '{{ name }}' as dimension_name
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as dimensions
{%- endmacro %}

{% macro agreement_keys() -%}
    {{ return([
        'rating_source', 'label_kind', 'period_type', 'period_starts_on', 'dimension_name',
        'dimension_value',
    ]) }}
{%- endmacro %}

{% macro period_end() -%}
    {%- set next_month = 'cast(' ~ dbt.dateadd('month', 1, 'period_starts_on') ~ ' as date)' -%}
    case period_type
        when 'week' then {{ add_days('period_starts_on', 6) }}
        else {{ add_days(next_month, -1) }}
    end
{%- endmacro %}
