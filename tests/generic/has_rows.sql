{% test has_rows(model, made_of=none) %}
    select count(*) as n_rows
    from {{ model }}
    having
        count(*) = 0
        {%- if made_of %}
        and (select count(*) from {{ made_of }}) > 0
        {%- endif %}
{% endtest %}
