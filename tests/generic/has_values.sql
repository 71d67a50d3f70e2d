{% test has_values(model, columns, show) %}
    select
        {{ show | join(', ') }},
        concat_ws(
            ', ',
            {% for column in columns -%}
            case when {{ column }} is null then '{{ column }}' end{{ ',' if not loop.last }}
            {% endfor %}
        ) as missing_values
    from {{ model }}
    where {{ columns | join(' is null or ') }} is null
{% endtest %}
