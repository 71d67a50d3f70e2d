{#- Cells of quality_rates: what the registry (a relation metrics, of the seed) names as numerator and
    denominator of a metric, from whatever relation has those measures. -#}
{% macro cells_of_metrics(relation, person, measures) -%}
    select
        metrics.metric_id,
        metrics.metric_version,
        sums.period_type,
        sums.period_starts_on,
        sums.period_ends_on,
        sums.dimension_name,
        sums.dimension_value,
        {{ person }} as person_key,
        {% for term, name in {'numerator': 'n_successes', 'denominator': 'n'}.items() -%}
        case metrics.{{ term }}
            {% for measure in measures -%}
            when '{{ measure }}' then sums.{{ measure }}
            {% endfor -%}
        end as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ relation }} as sums
    inner join metrics on metrics.denominator in ('{{ measures | join("', '") }}')
{%- endmacro %}

{% macro rate_cells(relation, day, person, dimensions, measures) -%}
    {%- set keys = [
        'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name', 'dimension_value',
    ] | join(', ') -%}
    {%- set sums -%}
    (
        select
            {{ keys }},
            {{ person }} as person_key,
            {% for name, expression in measures.items() -%}
            cast(sum({{ expression }}) as bigint) as {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from (
            {{ by_period_and_dimension(relation, day, dimensions, types=rare_period_types()) }}
        ) as grouped
        group by {{ keys }}, {{ person }}
    )
    {%- endset -%}
    {{ cells_of_metrics(sums, 'sums.person_key', measures.keys() | list) }}
{%- endmacro %}
