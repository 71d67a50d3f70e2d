{% test one_version(model, table) %}
    {%- if execute -%}
        {%- set contract = raw_contract(table) -%}
        {%- set version_key = contract.config.meta.key + contract.config.meta.revision_order -%}
        {%- set columns = contract.columns.keys() | list -%}
    {%- else -%}
        {%- set version_key, columns = ['recorded_at'], ['recorded_at'] -%}
    {%- endif -%}
    with delivered as (
        select *
        from ({{ raw(table) }}) as rows_of_table
        where {{ known_as_of() }}
    ),

    delivered_again as (
        select {{ version_key | join(', ') }}
        from delivered
        group by {{ version_key | join(', ') }}
        having count(*) > 1
    ),

    versions as (
        select distinct
            {% for column in columns -%}
            delivered.{{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        from delivered
        inner join delivered_again
            on {% for column in version_key -%}
            delivered.{{ column }} is not distinct from delivered_again.{{ column }}
            {{- ' and ' if not loop.last }}
            {%- endfor %}
    )

    select
        {% for column in version_key -%}
        {{ pseudonym(column) if column in columns_of_people() else column }} as {{ column }},
        {% endfor -%}
        count(*) as n_versions,
        concat_ws(
            ', ',
            {% for column in columns if column not in version_key -%}
            case
                when count(distinct {{ column }}) > 1
                    or count({{ column }}) between 1 and count(*) - 1
                    then '{{ column }}'
            end{{ ',' if not loop.last }}
            {% endfor %}
        ) as differs_in
    from versions
    {# By the table's own columns: an alias above may have the name of one. #}
    group by {% for column in version_key %}versions.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    having count(*) > 1
{% endtest %}
