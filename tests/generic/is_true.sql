{% test is_true(model, expression, show) %}
    select {{ show | join(', ') }}
    from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
