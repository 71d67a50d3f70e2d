{% macro reporting_dimensions() -%}
    {%- set person = "when decided_by_type = 'human' then 'unknown' else 'not_applicable' end" -%}
    {%- set no_model = "else 'not_applicable' end" -%}
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
        'queue_and_decider': "concat(coalesce(queue_id, 'unknown'), ' | ', coalesce(decided_by_type, 'unknown'))",
        'model_version': "case when decided_by_type = 'automation' then coalesce(model_version, 'unknown') " ~ no_model,
        'confidence': "case when decided_by_type = 'automation' then (" ~ confidence_band('confidence') ~ ') ' ~ no_model,
    }) }}
{%- endmacro %}

{#- Those whose groups are people, and the columns that say who is in which. -#}
{% macro roster_dimensions() -%}
    {{ return({'site': 'site', 'vendor': 'vendor', 'team': 'team_id'}) }}
{%- endmacro %}

{% macro has_rates(relation) -%}
    {#- By day, only where they could be reported. The rule looks at one day, so that a day has the same
        rows whether it is built alone or with all others. -#}
    {%- set daily = var('daily_dimensions') -%}
    {{ relation }}.period_type <> 'day'
    or {{ relation }}.dimension_name not in ('{{ roster_dimensions() | join("', '") }}')
    {%- if daily is none %}
    and coalesce(
        avg(nullif({{ relation }}.n_counted_audits, 0)) over (
            partition by {{ relation }}.period_type, {{ relation }}.period_starts_on,
                {{ relation }}.dimension_name
        )
        >= {{ var('min_audits') }},
        false
    )
    {%- elif daily %}
    and {{ relation }}.dimension_name in ('{{ daily | join("', '") }}')
    {%- else %}
    and false
    {%- endif -%}
{%- endmacro %}

{#- Of rows with a column dim_<name> for each dimension, grouped by group_by_each_dimension. -#}
{% macro grouped_dimension(dimensions) -%}
        case
            {% for name in dimensions -%}
            when dim_{{ name }} is not null then '{{ name }}'
            {% endfor -%}
        end as dimension_name,
        coalesce(
            {% for name in dimensions -%}
            dim_{{ name }}{{ ', ' if not loop.last }}
            {%- endfor %}
        ) as dimension_value
{%- endmacro %}

{% macro group_by_each_dimension(keys, dimensions) -%}
    group by grouping sets (
        {% for name in dimensions -%}
        ({{ keys | join(', ') }}, dim_{{ name }}){{ ',' if not loop.last }}
        {% endfor %}
    )
{%- endmacro %}

{% macro by_dimension(relation, counts, squares={}) -%}
    {%- set keys = ['decided_on', 'stratum_key', 'exclusion_reason'] -%}
    {%- set dimensions = reporting_dimensions() -%}
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        {{ grouped_dimension(dimensions) }},
        {% for name in squares -%}
        cast(sum({{ name }}) as decimal(38, 0)) as {{ name }},
        {% endfor -%}
        {% for name in counts -%}
        cast(sum({{ name }}) as bigint) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            {% for key in keys -%}
            {{ key }},
            {% endfor -%}
            {% for name, expression in dimensions.items() -%}
            {{ expression }} as dim_{{ name }},
            {% endfor -%}
            {% for name, expression in squares.items() -%}
            {{ expression }} as {{ name }},
            {% endfor -%}
            {% for name, expression in counts.items() -%}
            {{ expression }} as {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ relation }}
    ) as with_dimensions
    {{ group_by_each_dimension(keys, dimensions) }}
{%- endmacro %}

{% macro confidence_band(confidence) -%}
    {%- set bands = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99] -%}
    case
        when {{ confidence }} is null then 'unknown'
        {% for bound in bands -%}
        when {{ confidence }} < {{ bound }}
            then '{{ '%.2f' | format(bands[loop.index0 - 1] if not loop.first else 0) }} to {{ '%.2f' | format(bound) }}'
        {% endfor -%}
        else '{{ '%.2f' | format(bands[-1]) }} to 1.00'
    end
{%- endmacro %}

{% macro label_of_value(relation) -%}
    {%- set value = relation ~ '.dimension_value' -%}
    case
        when {{ relation }}.dimension_name in ('language', 'region') and {{ is_a_rest(value) }} = 0
            then upper({{ value }})
        else {{ sentence_case(value) }}
    end
{%- endmacro %}

{% macro sentence_case(value) -%}
    concat(upper(substr({{ value }}, 1, 1)), replace(substr({{ value }}, 2), '_', ' '))
{%- endmacro %}

{#- Values that stand for what has none come last. -#}
{% macro is_a_rest(value) -%}
    case when {{ value }} in ('unknown', 'no_policy', 'not_applicable') then 1 else 0 end
{%- endmacro %}
