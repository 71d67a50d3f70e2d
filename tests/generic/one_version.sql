{% test one_version(model, table) %}
    {%- if execute -%}
        {%- set contract = raw_contract(table) -%}
        {%- set key = contract.config.meta.key -%}
        {%- set version_key = key + contract.config.meta.revision_order -%}
        {%- set fixed = contract.config.meta.fixed -%}
        {%- set columns = contract.columns.keys() | list -%}
    {%- else -%}
        {%- set columns = ['recorded_at'] -%}
        {%- set key, version_key, fixed = columns, columns, columns -%}
    {%- endif -%}
    with delivered as (
        select *
        from ({{ raw(table) }}) as rows_of_table
        where {{ known_as_of() }}
    ),

    delivered_again as (
        select {{ key | join(', ') }}
        from delivered
        group by {{ key | join(', ') }}
        having count(*) > 1
    ),

    versions as (
        select distinct
            {% for column in columns -%}
            delivered.{{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        from delivered
        inner join delivered_again
            on {% for column in key -%}
            delivered.{{ column }} is not distinct from delivered_again.{{ column }}
            {{- ' and ' if not loop.last }}
            {%- endfor %}
    )

    {% for of_key, must_agree in [
        (version_key, columns | reject('in', version_key) | list), (key, fixed)
    ] -%}
    select
        {% for column in version_key -%}
        {%- set name = pseudonym(column) if column in columns_of_people() else column %}
        {{ name if column in of_key else 'null' }} as {{ column }},
        {% endfor -%}
        count(*) as n_versions,
        {{ differing_columns(must_agree) }} as differs_in
    from versions
    {# By the table's own columns: an alias above may have the name of one. -#}
    group by {% for column in of_key %}versions.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    having {{ 'count(*) > 1' if loop.first else differing_columns(must_agree) ~ " <> ''" }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{% endtest %}

