{#- What jobs are grouped by. Who will decide a job is not known while it waits, so it is no dimension. -#}
{% macro job_dimensions() -%}
    {{ return({
        'overall': "'all'",
        'queue': "coalesce(queue_id, 'unknown')",
        'reported_policy': "coalesce(reported_policy_id, 'unknown')",
        'language': "coalesce(language, 'unknown')",
    }) }}
{%- endmacro %}

{#- Sums of a relation by the week and the month of a day, by `more` columns, and by dimension. A week of
    two months is two rows, so that both sum to either. -#}
{% macro sums_by_week_and_month(relation, day, dimensions, measures, more=[]) -%}
    {%- set keys = ['week_starts_on', 'month_starts_on'] + more -%}
    select
        {{ keys | join(', ') }},
        {{ grouped_dimension(dimensions) }},
        {% for name in measures -%}
        {{ measures[name] }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            rows_of.*,
            {% for name, expression in dimensions.items() -%}
            {{ expression }} as dim_{{ name }},
            {% endfor -%}
            {{ week_start(day) }} as week_starts_on,
            cast(date_trunc('month', {{ day }}) as date) as month_starts_on
        from {{ relation }} as rows_of
    ) as with_dimensions
    {{ group_by_each_dimension(keys, dimensions) }}
{%- endmacro %}

{#- Rows of sums_by_week_and_month, each once by its week and once by its month. -#}
{% macro in_weeks_and_months(relation) -%}
    select
        rows_of.*,
        period_types.period_type,
        case period_types.period_type
            when 'week' then rows_of.week_starts_on
            else rows_of.month_starts_on
        end as period_starts_on
    from {{ relation }} as rows_of
    cross join (values ('week'), ('month')) as period_types (period_type)
{%- endmacro %}

{#- What people's work is grouped by: of these there is an accuracy to show beside speed. -#}
{% macro handling_dimensions() -%}
    {%- set known = reporting_dimensions() -%}
    {{ return({
        'overall': known['overall'],
        'queue': known['queue'],
        'language': known['language'],
        'site': known['site'],
        'vendor': known['vendor'],
    }) }}
{%- endmacro %}

{% macro workload_dimensions() -%}
    {%- set dimensions = handling_dimensions() -%}
    {%- do dimensions.update({'reported_policy': job_dimensions()['reported_policy']}) -%}
    {{ return(dimensions) }}
{%- endmacro %}

{#- Hours are of no queue, policy or language. -#}
{% macro shift_dimensions() -%}
    {%- set known = handling_dimensions() -%}
    {{ return({
        'overall': known['overall'],
        'site': known['site'],
        'vendor': known['vendor'],
    }) }}
{%- endmacro %}

{% macro exposure_dimensions() -%}
    {%- set known = reporting_dimensions() -%}
    {{ return({'overall': known['overall'], 'team': known['team']}) }}
{%- endmacro %}

{#- The accuracy of the same work, from a joined relation accuracy. What an item was reported for says
    nothing of the decision. -#}
{% macro accuracy_beside(relation) -%}
    accuracy.n as accuracy_n,
    accuracy.estimate as accuracy_estimate,
    accuracy.ci_low as accuracy_ci_low,
    accuracy.ci_high as accuracy_ci_high,
    coalesce(accuracy.is_reportable, false) as accuracy_is_reportable,
    case
        when {{ relation }}.dimension_name = 'reported_policy' then 'undefined_for_dimension'
        when accuracy.is_reportable is null then 'zero_denominator'
        else accuracy.reason_code
    end as accuracy_reason_code
{%- endmacro %}
