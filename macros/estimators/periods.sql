{% macro period_types() -%}
    {{ return(['week', 'month']) }}
{%- endmacro %}

{% macro rare_period_types() -%}
    {{ return(['week', 'month', 'quarter']) }}
{%- endmacro %}

{#- Of a relation period_types, whose period_type says which. -#}
{% macro period_start(day) -%}
    case period_types.period_type
        when 'day' then {{ day }}
        when 'week' then {{ week_start(day) }}
        when 'month' then cast(date_trunc('month', {{ day }}) as date)
        when 'quarter' then cast(date_trunc('quarter', {{ day }}) as date)
    end
{%- endmacro %}

{% macro period_end() -%}
    case period_type
        when 'week' then {{ add_days('period_starts_on', 6) }}
        {% for period_type, months in {'month': 1, 'quarter': 3}.items() -%}
        {%- set next = 'cast(' ~ dbt.dateadd('month', months, 'period_starts_on') ~ ' as date)' -%}
        when '{{ period_type }}' then {{ add_days(next, -1) }}
        {% endfor -%}
    end
{%- endmacro %}

{% macro by_period(relation, day, day_set=none, types=period_types()) -%}
    select
        *,
        {{ period_end() }} as period_ends_on
    from (
        select
            rows_of.*,
            period_types.period_type,
            {{ period_start('rows_of.' ~ day) }} as period_starts_on
        from {{ relation }} as rows_of
        cross join (
            values {% for name in types %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}
        ) as period_types (period_type)
        {% if day_set -%}
        where {{ near_days_to_build(day_set, 'rows_of.' ~ day) }}
        {%- endif %}
    ) as dated
    {% if day_set -%}
    where {{ in_days_to_build(day_set, 'period_starts_on') }}
    {%- endif %}
{%- endmacro %}

{% macro by_period_and_dimension(
    relation, day, dimensions, day_set=none, types=period_types()
) -%}
    select
        in_periods.*,
        dimensions.dimension_name,
        {{ value_of_dimension(dimensions) }} as dimension_value
    from (
        {{ by_period(relation, day, day_set, types) }}
    ) as in_periods
    cross join (
        values {% for name in dimensions %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}
    ) as dimensions (dimension_name)
{%- endmacro %}

{% macro audit_dimensions() -%}
    {%- set dimensions = reporting_dimensions() -%}
    {%- do dimensions.update({
        'sampling_method': 'sampling_method',
        'auditor_tier': "coalesce(auditor_tier, 'unknown')",
        'auditor_site': "coalesce(auditor_site, 'unknown')",
        'auditor_vendor': "coalesce(auditor_vendor, 'unknown')",
    }) -%}
    {{ return(dimensions) }}
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
