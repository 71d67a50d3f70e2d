{#- What is there and not read. Silence is how wrong numbers get in, so a build begins with a list. -#}

{% macro squeezed(name) -%}
    {#- What people change of a name without a thought: case, spaces, other signs. -#}
    {{ return(modules.re.sub('[^a-z0-9]', '', name | lower)) }}
{%- endmacro %}

{% macro nearest(name, names) -%}
    {#- The one that a name was probably meant to be, or nothing. -#}
    {%- set squeezed_name, candidates = squeezed(name), [] -%}
    {%- for candidate in names -%}
        {%- if squeezed(candidate) == squeezed_name -%}
            {{ return(candidate) }}
        {%- endif -%}
        {%- do candidates.append("select '" ~ candidate ~ "' as candidate") -%}
    {%- endfor -%}
    {%- set distance = "levenshtein('" ~ squeezed_name ~ "', replace(candidate, '_', ''))" -%}
    {%- set found = run_query(
        'select candidate, ' ~ distance ~ ' from (' ~ candidates | join(' union all ')
        ~ ') as candidates order by 2, 1 limit 1'
    ) if candidates else [] -%}
    {%- if found | length and found[0][1] <= [1, squeezed_name | length // 4] | max -%}
        {{ return(found[0][0]) }}
    {%- endif -%}
    {{ return(names | select('in', name | lower) | first | default('')) }}
{%- endmacro %}

{% macro unread_tables() -%}
    {#- Of each a line; what looks like something that the contract knows goes first. -#}
    {%- set unread = {'near': [], 'other': []} -%}
    {%- set tables, others = [], [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'raw' -%}
        {%- do tables.append(node.name) -%}
    {%- endfor -%}
    {%- if var('raw_schema') -%}
        {%- set ours = graph.nodes.values() | map(attribute='name') | list -%}
        {#- Spark's targets have no database. -#}
        {%- set schema = api.Relation.create(target.database or none, var('raw_schema')) -%}
        {%- set exists = adapter.check_schema_exists(schema.database, schema.schema) -%}
        {%- for row in (list_relations_without_caching(schema) if exists else [])
                if row[1] not in tables and row[1] not in ours -%}
            {%- do others.append(row[1]) -%}
        {%- endfor -%}
    {%- else -%}
        {%- set others = once_a_run('listed files', raw_files_by_table).others -%}
    {%- endif -%}
    {%- set place = var('raw_schema') ~ '.' if var('raw_schema') else var('raw_path') ~ '/' -%}
    {#- `make template` writes one. -#}
    {%- for other in others | reject('in', var('not_read') + ['README.md']) -%}
        {#- Beyond these nobody reads on, and each asks the engine. -#}
        {%- set name = other.split('/')[0].split('.')[0] -%}
        {%- set meant = nearest(name, tables) if loop.index <= 20 else '' -%}
        {%- if meant -%}
            {%- do unread.near.append(place ~ other ~ ' is not read. It looks like ' ~ meant
                ~ (', which is a table of that name.' if var('raw_schema')
                    else ', which is read from ' ~ meant ~ '.parquet, ' ~ meant ~ '.csv, or a folder '
                    ~ meant ~ ' of files with these endings.')) -%}
        {%- else -%}
            {%- do unread.other.append(place ~ other ~ ' is not read: the contract has no such table.')
            -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(unread) }}
{%- endmacro %}

{% macro unread_columns(node, present, unread) -%}
    {%- set problems = [] -%}
    {%- set found = none if var('raw_schema') else once_a_run(
        'files of ' ~ node.name, raw_files, node.name) -%}
    {%- set by_folder = folder_columns(found.files if found else [], node.name) -%}
    {%- set absent = node.columns.keys() | reject('in', present) | list -%}
    {%- for name in present if name not in node.columns -%}
        {%- set column = node.name ~ '.' ~ name -%}
        {%- set alike = [] -%}
        {%- for known in node.columns if squeezed(known) == squeezed(name) -%}
            {%- do alike.append(known) -%}
        {%- endfor -%}
        {%- set meant = alike | first or nearest(name, absent) -%}
        {%- if column in var('not_read') -%}
        {%- elif 'deleted' in name -%}
            {%- do problems.append('- ' ~ column ~ ': marks rows as deleted, and is not read: those '
                ~ 'rows would count. Leave them out of what you deliver. If it marks nothing, name it '
                ~ 'in the variable not_read.') -%}
        {%- elif alike and meant in absent -%}
            {%- do problems.append('- ' ~ column ~ ': is not read, and ' ~ meant ~ ' is absent. Rename '
                ~ 'it; if it is another thing, name it in the variable not_read.') -%}
        {%- elif meant -%}
            {%- do unread.near.append(column ~ ' is not read. It looks like ' ~ meant ~ ', which is '
                ~ ('absent.' if meant in absent else 'there too.')) -%}
        {%- else -%}
            {%- do unread.other.append(column ~ ' is not read: the contract has no such column.') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, n_files in by_folder.items()
            if name not in present and node.name ~ '.' ~ name not in var('not_read') -%}
        {%- do (unread.near if name in node.columns else unread.other).append(node.name ~ '.' ~ name
            ~ ' is only in the names of folders (' ~ name ~ '=, ' ~ n_files ~ ' files), which are not '
            ~ 'read. Write it into the files.') -%}
    {%- endfor -%}
    {%- if found and found.files | length > 1 -%}
        {%- set headers = file_headers(node.name, found) -%}
        {%- for name in node.columns
                if name in present and node.name ~ '.' ~ name not in var('not_read') -%}
            {%- set without = missing_in(name, headers) -%}
            {%- if without.files -%}
                {%- set strange = without.columns | reject('in', node.columns) | unique | list -%}
                {%- do unread.near.append(node.name ~ '.' ~ name ~ ' is not in '
                    ~ without.files | length ~ ' of ' ~ found.files | length ~ ' files, and NULL there: '
                    ~ without.files[:3] | join(', ')
                    ~ (' (which has ' ~ strange[:5] | join(', ') ~ ')' if strange else '') ~ '.') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro folder_columns(files, table) -%}
    {%- set n_files = {} -%}
    {%- for file in files if '=' in file -%}
        {%- for folder in file.rpartition('/' ~ table ~ '/')[2].split('/')[:-1] if '=' in folder -%}
            {%- set name = folder.partition('=')[0] | lower -%}
            {%- do n_files.update({name: n_files.get(name, 0) + 1}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(n_files) }}
{%- endmacro %}

{% macro missing_in(column, headers) -%}
    {%- set without = {'files': [], 'columns': []} -%}
    {%- for header in headers if column not in header.columns -%}
        {%- do without.files.extend(header.files) -%}
        {%- do without.columns.extend(header.columns) -%}
    {%- endfor -%}
    {{ return(without) }}
{%- endmacro %}

{% macro warn_of_unread(unread) -%}
    {%- set lines = unread.near + unread.other -%}
    {%- if lines -%}
        {%- set more = '\n- and ' ~ (lines | length - 10) ~ ' more.' if lines | length > 10 else '' -%}
        {%- do exceptions.warn(
            'There in the raw data and not read (' ~ lines | length ~ '). What is left out on purpose '
            ~ 'can be named in the variable not_read.\n- ' ~ lines[:10] | join('\n- ') ~ more
        ) -%}
    {%- endif -%}
{%- endmacro %}
