{% test has_rows(model) %}
    select count(*) as n_rows
    from {{ model }}
    having count(*) = 0
{% endtest %}
