{#- How schemas are named, and what is enforced when a table is written. -#}

{% macro layer_schema(layer) -%}
    {{ return(adapter.dispatch('layer_schema')(layer)) }}
{%- endmacro %}

{% macro default__layer_schema(layer) -%}
    {{ return(layer) }}
{%- endmacro %}

{% macro spark__layer_schema(layer) -%}
    {#- A metastore has no databases above schemas, and others live in it too. -#}
    {{ return(layer if layer == target.schema else target.schema ~ '_' ~ layer) }}
{%- endmacro %}

{% macro drop_days(relation, column, days) -%}
    {{ return(adapter.dispatch('drop_days')(relation, column, days)) }}
{%- endmacro %}

{% macro default__drop_days(relation, column, days) -%}
    delete from {{ relation }}
    where {{ column }} in (date '{{ days | join("', date '") }}')
{%- endmacro %}

{% macro spark__drop_days(relation, column, days) -%}
    {#- Parquet tables know no delete; each day is a partition. -#}
    alter table {{ relation }} drop if exists
    {%- for day in days %}
    partition ({{ column }} = date '{{ day }}'){{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A table has its name only once it is whole. Made and filled in one statement, as dbt-spark does, one
    whose run is killed leaves a folder that the metastore does not know, and Spark makes no table there
    any more; filled under its own name it would be taken for whole. Delta and Iceberg replace a table in
    one step; a table with a place of its own would keep the place of its first name. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if temporary or language != 'sql' or not config.get('contract').enforced
        or config.get('file_format') != 'parquet' or config.get('location_root') -%}
        {{ return(dbt.spark__create_table_as(temporary, relation, compiled_code, language)) }}
    {%- endif -%}
    {%- do get_assert_columns_equivalent(compiled_code) -%}
    {%- set unfinished = make_intermediate_relation(relation, '__unfinished') -%}
    {%- call statement('drop_unfinished') -%}
        drop table if exists {{ unfinished }}
    {%- endcall -%}
    {%- call statement('create_unfinished') -%}
        create table {{ unfinished }} (
            {% for column in model.columns.values() -%}
            {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
            {% endfor -%}
        )
        {{ file_format_clause() }}
        {{ options_clause() }}
        {{ tblproperties_clause() }}
        {{ partition_cols(label='partitioned by') }}
        {{ clustered_cols(label='clustered by') }}
        {{ comment_clause() }}
    {%- endcall -%}
    {%- call statement('fill_unfinished') -%}
        insert into {{ unfinished }} ({{ model.columns.values() | map(attribute='name') | join(', ') }})
        {{ get_select_subquery(compiled_code) }}
    {%- endcall -%}
    alter table {{ unfinished }} rename to {{ relation }}
{%- endmacro %}

{#- dbt-spark enforces no constraint on Parquet tables. What must not be null is asked for here, so
    that a contract means the same on every engine; keys have a test of their own, unique_key. -#}
{% macro spark__persist_constraints(relation, model) -%}
    {%- set wanted = [] -%}
    {%- for constraint in model.constraints if constraint.type == 'primary_key' -%}
        {%- do wanted.extend(constraint.columns) -%}
    {%- endfor -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type in ('not_null', 'primary_key') -%}
            {%- do wanted.append(column.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set wanted = wanted | unique | list -%}
    {%- if config.get('contract').enforced and wanted -%}
        {%- set counts = [] -%}
        {%- for name in wanted -%}
            {%- do counts.append('count(*) - count(' ~ name ~ ')') -%}
        {%- endfor -%}
        {%- set n_nulls = run_query('select ' ~ counts | join(', ') ~ ' from ' ~ relation)[0] -%}
        {%- for name in wanted -%}
            {%- if n_nulls[loop.index0] > 0 -%}
                {{ exceptions.raise_compiler_error(
                    'NOT NULL constraint failed: ' ~ relation ~ '.' ~ name ~ ' is null in '
                    ~ n_nulls[loop.index0] ~ ' rows.') }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- dbt-spark binds values as text: a null of a seed arrives as 'None', an apostrophe ends its
    string. Written out as literals they are what the file says. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
        {%- set rows = [] -%}
        {%- for row in chunk -%}
            {%- set values = [] -%}
            {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set value = row[loop.index0] -%}
                {%- set text = "'" ~ (value | string | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'" -%}
                {%- do values.append(
                    'cast(' ~ ('null' if value is none else text) ~ ' as ' ~ type ~ ')') -%}
            {%- endfor -%}
            {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
        {%- endfor -%}
        {%- set sql = 'insert into ' ~ this ~ ' values ' ~ rows | join(', ') -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements[0]) }}
{%- endmacro %}
