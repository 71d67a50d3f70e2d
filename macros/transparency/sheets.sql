{#- The columns of sheets 5 and 6, in their order; action_codes says which action is which. -#}
{% macro dsa_restrictions() -%}
    {{ return([
        'visibility_removal', 'visibility_disable', 'visibility_demoted',
        'visibility_age_restricted', 'visibility_interaction_restricted', 'visibility_labelled',
        'visibility_other', 'monetary_suspension', 'monetary_termination', 'monetary_other',
        'service_suspension', 'service_termination', 'account_suspension', 'account_termination',
    ]) }}
{%- endmacro %}

{#- A column n_<restriction> for each, of an expression with {} for its name. -#}
{% macro restriction_columns(expression) -%}
    {%- for name in dsa_restrictions() %}
    {{ expression.format(name) }} as n_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The official languages of the Union, by which sheets 8 and 9 have rows. -#}
{% macro dsa_languages() -%}
    {{ return([
        'bg', 'cs', 'da', 'de', 'el', 'en', 'es', 'et', 'fi', 'fr', 'ga', 'hr', 'hu', 'it', 'lt', 'lv',
        'mt', 'nl', 'pl', 'pt', 'ro', 'sk', 'sl', 'sv',
    ]) }}
{%- endmacro %}

{#- pt-BR is pt; what is no official language is none. -#}
{% macro dsa_language(language) -%}
    case
        when lower(substr({{ language }}, 1, 2)) in ('{{ dsa_languages() | join("', '") }}')
            and (length({{ language }}) = 2 or substr({{ language }}, 3, 1) in ('-', '_'))
            then lower(substr({{ language }}, 1, 2))
    end
{%- endmacro %}

{#- Of joins of dsa_categories called own (the policy) and parents (its parent). -#}
{% macro dsa_category_of(term, is_illegal) -%}
    case
        when {{ is_illegal }} and own.policy_id is not null
            then coalesce(own.illegal_{{ term }}, own.{{ term }})
        when {{ is_illegal }} then coalesce(parents.illegal_{{ term }}, parents.{{ term }})
        when own.policy_id is not null then own.{{ term }}
        else parents.{{ term }}
    end
{%- endmacro %}

{% macro is_in_dsa_territory(region) -%}
    {%- set regions = var('ledger_regions') -%}
    {%- if regions -%}
    coalesce({{ region }} in ('{{ regions | join("', '") }}'), false)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- Half years, which very large platforms report on, and calendar years, which the others do. -#}
{% macro by_dsa_period(relation, day) -%}
    select
        rows_of.*,
        period_types.period_type,
        {{ dsa_period_start('rows_of.' ~ day) }} as period_starts_on
    from {{ relation }} as rows_of
    cross join (values ('half_year'), ('year')) as period_types (period_type)
{%- endmacro %}

{% macro dsa_period_start(day) -%}
    {%- set year = "cast(date_trunc('year', " ~ day ~ ") as date)" -%}
    case
        when period_types.period_type = 'half_year' and extract(month from {{ day }}) > 6
            then cast({{ dbt.dateadd('month', 6, year) }} as date)
        else {{ year }}
    end
{%- endmacro %}

{#- The day that is so many days after the last of a period. -#}
{% macro dsa_period_end(periods, n_days=0) -%}
    {%- set start = periods ~ '.period_starts_on' -%}
    {{ add_days(
        'case ' ~ periods ~ ".period_type when 'year' then cast("
        ~ dbt.dateadd('month', 12, start) ~ ' as date) else cast('
        ~ dbt.dateadd('month', 6, start) ~ ' as date) end',
        n_days - 1
    ) }}
{%- endmacro %}

{#- Each row with the rows of a sheet that count it: all, its category, its sub-category. -#}
{% macro by_dsa_category(relation) -%}
    select
        rows_of.*,
        case levels.level_name when 'total' then 'TOTAL' else rows_of.category end as row_category,
        case levels.level_name when 'keyword' then rows_of.keyword else '' end as row_keyword
    from {{ relation }} as rows_of
    cross join (values ('total'), ('category'), ('keyword')) as levels (level_name)
    where
        case levels.level_name
            when 'total' then true
            when 'category' then rows_of.category is not null
            else rows_of.keyword is not null
        end
{%- endmacro %}

{#- Half of them were not longer, in hours. -#}
{% macro median_hours(seconds) -%}
    percentile_disc(0.5) within group (order by {{ seconds }}) / cast(3600 as double)
{%- endmacro %}

{#- Sums of expressions, by name, as the columns of a select. -#}
{% macro sums_of(expressions, data_type='bigint') -%}
    {%- for name, expression in expressions.items() %}
    cast(sum({{ expression }}) as {{ data_type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The number that a column called indicator names, of a relation with a column for each. -#}
{% macro value_of_indicator(names, relation) -%}
    case indicators.indicator
        {%- for name in names %}
        when '{{ name }}' then {{ relation }}.{{ name }}
        {%- endfor %}
    end
{%- endmacro %}

{% macro rows_of_values(names) -%}
    values {% for name in names %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}
