{% test unique_key(model, columns) %}
    {#- A null in a key fails even where it stands alone: it identifies nothing. -#}
    select
        {{ columns | join(', ') }},
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
