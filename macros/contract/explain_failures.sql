{% macro explain_failures(results) -%}
    {%- if execute -%}
        {%- for result in results
                if result.node.resource_type == 'test' and result.status in ('fail', 'warn') -%}
            {%- do explain_failure(result.node, result.status | upper, result.failures) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro explain_failure(node, status, n_failures) -%}
    {%- set n_rows = n_failures ~ (' row' if n_failures == 1 else ' rows') -%}
    {%- do log('', info=True) -%}
    {%- do log(status ~ ' ' ~ node.name ~ ': ' ~ n_rows ~ '. ' ~ node.description | trim, info=True)
    -%}
    {%- set rows = rows_to_show(node.compiled_code) -%}
    {%- for row in rows -%}
        {%- do log('  - ' ~ row | join(', '), info=True) -%}
    {%- endfor -%}
    {%- if n_failures > rows | length -%}
        {%- do log('  - and ' ~ (n_failures - rows | length) ~ ' more', info=True) -%}
    {%- endif -%}
    {%- for line in allowed_lines(node) -%}
        {%- do log('  ' ~ line, info=True) -%}
    {%- endfor -%}
    {%- set what_to_do = node.config.meta.get('what_to_do') -%}
    {%- if what_to_do -%}
        {%- do log('  What to do: ' ~ what_to_do | trim, info=True) -%}
    {%- endif -%}
{%- endmacro %}

{% macro allowed_lines(node) -%}
    {#- Of a test of staging: what the contract allows in the columns that the test asks about. -#}
    {%- set asked = (node.test_metadata.kwargs if node.test_metadata else {}) -%}
    {%- set text = asked.get('expression', '') ~ ' ' ~ asked.get('columns', []) | join(' ') -%}
    {%- set table, lines = (node.attached_node or '').split('.stg_')[1:] | first, [] -%}
    {%- for source in graph.sources.values() if source.source_name == 'raw' and source.name == table -%}
        {%- for column in source.columns.values()
                if column.config.meta.get('allowed') and column.name in text -%}
            {%- do lines.append(allowed_in(column) | trim) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(lines) }}
{%- endmacro %}

{% macro rows_to_show(sql) -%}
    {%- set types = relation_columns('(' ~ sql ~ ') as failed') -%}
    {%- set names = types | list -%}
    {%- set rows = {} -%}
    {%- for cell in run_query(select_cells(sql, types)) -%}
        {%- set text = names[cell[1]] ~ '=' ~ ('null' if cell[2] is none else cell[2]) -%}
        {%- do rows.setdefault(cell[0], []).append(text) -%}
    {%- endfor -%}
    {{ return(rows.values() | list) }}
{%- endmacro %}

{#- A row for each value, so that ids of people are looked up once, however many columns there are. -#}
{% macro select_cells(sql, types) -%}
    {%- set columns, texts = [], [-1] -%}
    {%- for type in types.values() -%}
        {%- do columns.append('column_' ~ loop.index0) -%}
        {%- do texts.append(loop.index0) if same_type(type, 'string') -%}
    {%- endfor -%}
    {%- set columns = columns | join(', ') -%}
    select
        row_no,
        column_no,
        case
            {#- A count is a count, also where people have numbers. #}
            when column_no in ({{ texts | join(', ') }}) and text in ({{ ids_of_people() }})
                then {{ pseudonym('text') }}
            else text
        end as text
    from (
        select
            row_no,
            column_no,
            case column_no
                {%- for name in types %}
                {%- set text = 'cast(column_' ~ loop.index0 ~ ' as string)' %}
                when {{ loop.index0 }}
                    then {{ pseudonym(text) if name in columns_of_people() else text }}
                {%- endfor %}
            end as text
        from (
            select *, row_number() over (order by {{ columns }}) as row_no
            from (
                select * from ({{ sql }}) as found ({{ columns }})
                order by {{ columns }}
                limit 5
            ) as first_rows
        ) as numbered_rows
        cross join (
            values ({{ range(types | length) | join('), (') }})
        ) as numbered_columns (column_no)
    ) as cells
    order by row_no, column_no
{%- endmacro %}
