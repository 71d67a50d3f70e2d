{% macro period_types() -%}
    {{ return(['week', 'month', 'all']) }}
{%- endmacro %}

{% macro by_period_and_dimension(relation, day, columns, dimensions={}) -%}
    {%- set week = week_start('rows_of.' ~ day) -%}
    {%- set month = "cast(date_trunc('month', rows_of." ~ day ~ ") as date)" -%}
    {%- set next_month = 'cast(' ~ dbt.dateadd('month', 1, month) ~ ' as date)' -%}
    select
        {% for column in columns -%}
        rows_of.{{ column }},
        {% endfor -%}
        {% if dimensions -%}
        dimensions.dimension_name,
        {{ value_of_dimension(dimensions) }} as dimension_value,
        {% endif -%}
        periods.period_type,
        case periods.period_type
            when 'week' then {{ week }}
            when 'month' then {{ month }}
            else (select min(of_all.{{ day }}) from {{ relation }} as of_all)
        end as period_starts_on,
        case periods.period_type
            when 'week' then {{ add_days(week, 6) }}
            when 'month' then {{ add_days(next_month, -1) }}
            else (select max(of_all.{{ day }}) from {{ relation }} as of_all)
        end as period_ends_on
    from {{ relation }} as rows_of
    cross join (
        values {% for name in period_types() %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}
    ) as periods (period_type)
    {% if dimensions -%}
    cross join (
        values {% for name in dimensions %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}
    ) as dimensions (dimension_name)
    {%- endif %}
{%- endmacro %}

{% macro auditor_dimensions() -%}
    {{ return({
        'overall': "'all'",
        'auditor_tier': "coalesce(auditor_tier, 'unknown')",
        'auditor_site': "coalesce(auditor_site, 'unknown')",
        'auditor_vendor': "coalesce(auditor_vendor, 'unknown')",
        'sampling_method': 'sampling_method',
        'queue': reporting_dimensions()['queue'],
        'policy': reporting_dimensions()['policy'],
        'language': reporting_dimensions()['language'],
    }) }}
{%- endmacro %}

{% macro person_dimensions() -%}
    {{ return({
        'overall': "'all'",
        'site': "coalesce(site, 'unknown')",
        'vendor': "coalesce(vendor, 'unknown')",
        'team': "coalesce(team_id, 'unknown')",
        'language': "coalesce(language, 'unknown')",
    }) }}
{%- endmacro %}

{% macro value_of_dimension(dimensions) -%}
    case dimensions.dimension_name
        {% for name, expression in dimensions.items() -%}
        when '{{ name }}' then {{ expression }}
        {% endfor -%}
    end
{%- endmacro %}
