{#-
The one door through which raw data comes in. Files (Parquet, CSV), a warehouse schema and a
connector's models all leave it with the columns and types that models/sources declares.
-#}

{% macro raw(table) -%}
    {%- set connector = var('raw_connector') -%}
    {#- source() and ref() are called while parsing too: they make the lineage. -#}
    {%- set declared = source('raw', table) -%}
    {%- set connected = none -%}
    {%- if connector and table in var('connectors').get(connector, []) -%}
        {%- set connected = ref(connector ~ '__' ~ table) -%}
    {%- endif -%}
    {%- if execute -%}
        {{ return(raw_select(table, raw_relation(table, connected))) }}
    {%- endif -%}
    select * from {{ declared }}
{%- endmacro %}

{% macro raw_contract(table) -%}
    {%- for node in graph.sources.values() -%}
        {%- if node.source_name == 'raw' and node.name == table -%}
            {{ return(node) }}
        {%- endif -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error('"' ~ table ~ '" is not a table of models/sources.') }}
{%- endmacro %}

{% macro raw_identity(table) -%}
    {#- dbt's graph is known only when it runs; while it parses, any column does. -#}
    {{ return(
        raw_contract(table).config.meta if execute else {'key': ['1'], 'revision_order': ['1']}
    ) }}
{%- endmacro %}

{% macro raw_relation(table, connected=none) -%}
    {%- if var('raw_connector') -%}
        {{ return(connected) }}
    {%- elif var('raw_schema') -%}
        {{ return(adapter.get_relation(target.database, var('raw_schema'), table)) }}
    {%- endif -%}
    {%- set found = once_a_run('files of ' ~ table, raw_files, table) -%}
    {{ return(read_raw_files(table, found) if found.files else none) }}
{%- endmacro %}

{% macro raw_files(table) -%}
    {%- set base = var('raw_path').rstrip('/') ~ '/' -%}
    {%- set listed = once_a_run('listed files', raw_files_by_table).tables[table] -%}
    {%- set kinds = listed.files.keys() | list -%}
    {%- set globs = [] -%}
    {%- for glob in listed.globs -%}
        {%- do globs.append(base ~ glob) -%}
    {%- endfor -%}
    {%- set files = [] -%}
    {%- for file in listed.files.values() | first | default([]) -%}
        {%- do files.append(base ~ file) -%}
    {%- endfor -%}
    {{ return({
        'kind': kinds | first | default('none'), 'files': files, 'globs': globs,
        'has_hidden': listed.has_hidden, 'is_mixed': kinds | length > 1,
    }) }}
{%- endmacro %}

{% macro raw_files_by_table() -%}
    {%- set tables, others = {}, [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'raw' -%}
        {%- do tables.update({node.name: {'files': {}, 'globs': [], 'has_hidden': false}}) -%}
    {%- endfor -%}
    {%- for file in raw_listing() -%}
        {%- set first, separator, rest = file.partition('/') -%}
        {%- set table = modules.re.sub('[.](parquet|csv)$', '', first) -%}
        {%- set kind = file.rpartition('.')[2] -%}
        {%- if file[0] in '._' or '/.' in file or '/_' in file -%}
            {%- do tables.get(table, {}).update({'has_hidden': true}) -%}
        {%- elif table in tables and kind in ('parquet', 'csv') -%}
            {%- set glob = first ~ '/**/*.' ~ kind if separator else first -%}
            {%- do tables[table].globs.append(glob) if glob not in tables[table].globs -%}
            {%- do tables[table].files.setdefault(kind, []).append(file) -%}
        {%- else -%}
            {%- do others.append(file) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({'tables': tables, 'others': others}) }}
{%- endmacro %}

{% macro raw_columns(table, relation) -%}
    {{ return(once_a_run('columns of ' ~ table, relation_columns, relation)) }}
{%- endmacro %}

{% macro once_a_run(name, macro, argument=none) -%}
    {#- A thousand files are listed and opened once, not for each model that reads them. dbt's graph
        is where a run can keep this, but the graph lives as long as the manifest, which may serve
        many runs: what another run found out is forgotten. -#}
    {%- set memory = graph.get('known in a run', {}) -%}
    {%- if memory.get('run') != invocation_id -%}
        {%- set memory = {'run': invocation_id, 'answers': {}} -%}
        {%- do graph.update({'known in a run': memory}) -%}
    {%- endif -%}
    {%- if name not in memory.answers -%}
        {%- do memory.answers.update({name: macro() if argument is none else macro(argument)}) -%}
    {%- endif -%}
    {{ return(memory.answers[name]) }}
{%- endmacro %}

{% macro raw_select(table, relation) -%}
    {%- set contract = raw_contract(table) -%}
    {%- set present = raw_columns(table, relation) if relation else {} -%}
    select
    {%- for column in contract.columns.values() %}
        {% if column.name in present -%}
        {{ raw_value(column, raw_cast(column.name, present[column.name], column.data_type)) }}
        {%- else -%}
        cast(null as {{ column.data_type }})
        {%- endif %} as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ relation or '(select 1 as nothing) as absent' }}
    {{- ' where false' if not relation }}
{%- endmacro %}

{#- Official codes, such as a ledger's with their prefix, are read as the contract's own. -#}
{% macro raw_value(column, value) -%}
    {%- set also = column.config.meta.get('also') -%}
    {%- if also -%}
    case {{ value }}
        {%- for official, ours in also.items() %}
        when '{{ official }}' then '{{ ours }}'
        {%- endfor %}
        else {{ value }}
    end
    {%- else -%}
    {{ value }}
    {%- endif -%}
{%- endmacro %}

{% macro raw_cast(name, has_type, wants_type) -%}
    {%- if same_type(has_type, wants_type) -%}
    {{ name }}
    {%- elif wants_type == 'timestamp' and is_text(has_type) -%}
    {{ text_timestamp(name) }}
    {%- else -%}
    cast({{ name }} as {{ wants_type }})
    {%- endif -%}
{%- endmacro %}

{% macro same_type(has_type, wants_type) -%}
    {{ return(has_type == wants_type or (has_type == 'varchar' and wants_type == 'string')) }}
{%- endmacro %}

{% macro is_text(data_type) -%}
    {{ return(data_type == 'string' or 'char' in data_type) }}
{%- endmacro %}
