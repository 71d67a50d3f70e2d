{% test unique_key(model, columns) %}
    {{ config(meta={
        'what_to_do': 'A join on the way here multiplies rows. Look for the key in the models upstream, '
            ~ 'the first in which it repeats has the fault.',
    }) }}
    {#- A null in a key fails even where it stands alone: it identifies nothing. -#}
    select
        {{ columns | join(', ') }},
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
