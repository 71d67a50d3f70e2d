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
        when 'day' then period_starts_on
        when 'week' then {{ add_days('period_starts_on', 6) }}
        {% for period_type, months in {'month': 1, 'quarter': 3}.items() -%}
        {%- set next = 'cast(' ~ dbt.dateadd('month', months, 'period_starts_on') ~ ' as date)' -%}
        when '{{ period_type }}' then {{ add_days(next, -1) }}
        {% endfor -%}
    end
{%- endmacro %}

{#- Names of months, which the engines would format each in its way. -#}
{% macro month_name(day) -%}
    case extract(month from {{ day }})
        {% for name in [
            'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
            'October', 'November', 'December',
        ] -%}
        when {{ loop.index }} then '{{ name }}'
        {% endfor -%}
    end
{%- endmacro %}

{% macro day_label(day) -%}
    concat(
        cast(extract(day from {{ day }}) as string), ' ',
        substr({{ month_name(day) }}, 1, 3), ' ',
        cast(extract(year from {{ day }}) as string)
    )
{%- endmacro %}

{% macro period_label() -%}
    {%- set year = 'cast(extract(year from period_starts_on) as string)' -%}
    case period_type
        when 'day' then {{ day_label('period_starts_on') }}
        when 'week' then concat('Week of ', {{ day_label('period_starts_on') }})
        when 'four_weeks' then concat('Four weeks to ', {{ day_label('period_ends_on') }})
        when 'month' then concat({{ month_name('period_starts_on') }}, ' ', {{ year }})
        when 'quarter'
            then concat('Q', cast(extract(quarter from period_starts_on) as string), ' ', {{ year }})
        when 'trailing'
            then concat('{{ var("people_window_days") }} days to ', {{ day_label('period_ends_on') }})
    end
{%- endmacro %}

{% macro by_period(relation, day, types=period_types()) -%}
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
    ) as dated
{%- endmacro %}

{% macro by_period_and_dimension(relation, day, dimensions, types=period_types()) -%}
    select
        in_periods.*,
        dimensions.dimension_name,
        {{ value_of_dimension(dimensions) }} as dimension_value
    from (
        {{ by_period(relation, day, types) }}
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

{#- The first day of the period of the same type before. -#}
{% macro period_before(period_type, period_starts_on) -%}
    case {{ period_type }}
        when 'day' then {{ add_days(period_starts_on, -1) }}
        when 'week' then {{ add_days(period_starts_on, -7) }}
        when 'four_weeks' then {{ add_days(period_starts_on, -28) }}
        when 'month' then cast({{ dbt.dateadd('month', -1, period_starts_on) }} as date)
        when 'quarter' then cast({{ dbt.dateadd('month', -3, period_starts_on) }} as date)
    end
{%- endmacro %}

{#- Each row with the four times four weeks that hold its week. -#}
{% macro in_four_weeks(relation, week_starts_on) -%}
    select
        rows_of.*,
        {{ add_days(week_starts_on, '-7 * weeks.n_before') }} as four_weeks_start_on,
        {{ add_days(week_starts_on, '27 - 7 * weeks.n_before') }} as four_weeks_end_on
    from {{ relation }} as rows_of
    cross join (values (0), (1), (2), (3)) as weeks (n_before)
{%- endmacro %}

{#- Each day with the periods that hold it. -#}
{% macro periods_of_days(calendar) -%}
    select
        calendar_date,
        period_type,
        period_starts_on,
        period_ends_on
    from ({{ by_period(calendar, 'calendar_date', ['day', 'week', 'month']) }}) as periods
    union all
    select
        calendar_date,
        'four_weeks' as period_type,
        four_weeks_start_on as period_starts_on,
        four_weeks_end_on as period_ends_on
    from ({{ in_four_weeks(calendar, 'week_starts_on') }}) as weeks
{%- endmacro %}
