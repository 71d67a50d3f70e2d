{% macro reporting_dimensions() -%}
    {%- set person = "when decided_by_type = 'human' then 'unknown' else 'not_applicable' end" -%}
    {{ return({
        'overall': "'all'",
        'queue': "coalesce(queue_id, 'unknown')",
        'policy': "coalesce(policy_id, 'no_policy')",
        'policy_parent': "coalesce(parent_policy_id, policy_id, 'no_policy')",
        'site': "case when site is not null then site " ~ person,
        'vendor': "case when vendor is not null then vendor " ~ person,
        'team': "case when team_id is not null then team_id " ~ person,
        'language': "coalesce(language, 'unknown')",
        'region': "coalesce(region, 'unknown')",
        'item_type': "coalesce(item_type, 'unknown')",
        'decided_by': "coalesce(decided_by_type, 'unknown')",
    }) }}
{%- endmacro %}

{% macro by_dimension(relation, counts) -%}
    {%- set keys = ['decided_on', 'stratum_key', 'exclusion_reason'] -%}
    {%- set dimensions = reporting_dimensions() -%}
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        case
            {% for name in dimensions -%}
            when dim_{{ name }} is not null then '{{ name }}'
            {% endfor -%}
        end as dimension_name,
        coalesce(
            {% for name in dimensions -%}
            dim_{{ name }}{{ ', ' if not loop.last }}
            {%- endfor %}
        ) as dimension_value,
        {% for count in counts -%}
        cast(sum({{ count }}) as bigint) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            {% for key in keys -%}
            {{ key }},
            {% endfor -%}
            {% for name, expression in dimensions.items() -%}
            {{ expression }} as dim_{{ name }},
            {% endfor -%}
            {{ counts | join(', ') }}
        from {{ relation }}
    ) as with_dimensions
    group by grouping sets (
        {% for name in dimensions -%}
        ({{ keys | join(', ') }}, dim_{{ name }}){{ ',' if not loop.last }}
        {% endfor %}
    )
{%- endmacro %}
