{% test is_true(model, expression, show, tolerance=none) %}
    {{ tolerate(tolerance) }}
    select {{ show | join(', ') }} {{ n_tolerated(model, tolerance) }}
    from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
