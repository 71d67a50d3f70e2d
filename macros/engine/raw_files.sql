{#- How raw files are found and read. What is the same on every engine is in macros/contract/raw. -#}

{% macro raw_listing() -%}
    {{ return(adapter.dispatch('raw_listing')()) }}
{%- endmacro %}

{% macro default__raw_listing() -%}
    {%- set path = var('raw_path').rstrip('/') -%}
    {%- set literal = escape_single_quotes(path) -%}
    {#- One star follows a link to a folder, two do not. -#}
    {%- set files = run_query(
        "select file from glob(['" ~ literal ~ "/*', '" ~ literal ~ "/*/**']) order by 1"
    ).columns[0].values() -%}
    {%- set listing = [] -%}
    {%- for file in files -%}
        {%- do listing.append(file[path | length + 1:]) -%}
    {%- endfor -%}
    {{ return(listing) }}
{%- endmacro %}

{% macro spark__raw_listing() -%}
    {%- set path = var('raw_path').rstrip('/') -%}
    {#- To list files is to read their paths. No file is no error here, only an empty answer. -#}
    {%- set statement -%}
        begin
            declare exit handler for path_not_found
                begin
                    select cast(null as string) as file where false;
                end;
            select path as file
            from binaryFile.`{{ path }}` with ('recursiveFileLookup' = 'true')
            order by path;
        end
    {%- endset -%}
    {%- set listing = [] -%}
    {%- for file in run_query(statement).columns[0].values() -%}
        {%- do listing.append(file.rpartition(path ~ '/')[2]) -%}
    {%- endfor -%}
    {{ return(listing) }}
{%- endmacro %}

{% macro read_raw_files(table, found) -%}
    {{ return(adapter.dispatch('read_raw_files')(table, found)) }}
{%- endmacro %}

{% macro default__read_raw_files(table, found) -%}
    {#- A glob is short, whatever the number of files; but it would match the hidden ones too. -#}
    {%- set paths = found.files if found.has_hidden else found.globs -%}
    {%- if found.kind == 'parquet' -%}
        {{ return(read_files('parquet', paths)) }}
    {%- endif -%}
    {%- set layouts = once_a_run('layouts of ' ~ table, csv_layouts, table).layouts -%}
    {%- if layouts | length == 1 -%}
        {{ return(read_csv_files(paths, layouts[0])) }}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- for layout in layouts -%}
        {%- do parts.append('select * from ' ~ read_csv_files(layout.files, layout)) -%}
    {%- endfor -%}
    {{ return('(' ~ parts | join('\nunion all by name\n') ~ ')') }}
{%- endmacro %}

{% macro spark__read_raw_files(table, found) -%}
    {%- set base = var('raw_path').rstrip('/') ~ '/' ~ table -%}
    {{ return(read_files(found.kind, [base ~ '{.' ~ found.kind ~ ',}'])) }}
{%- endmacro %}

{% macro read_files(kind, files) -%}
    {{ return(adapter.dispatch('read_files')(kind, files)) }}
{%- endmacro %}

{% macro default__read_files(kind, files) -%}
    {%- if kind == 'parquet' -%}
        read_parquet({{ path_list(files) }}, union_by_name = true, hive_partitioning = false)
    {%- else -%}
        read_csv({{ path_list(files) }}, union_by_name = true, hive_partitioning = false,
            header = true, all_varchar = true, nullstr = '', allow_quoted_nulls = false)
    {%- endif -%}
{%- endmacro %}

{% macro spark__read_files(kind, files) -%}
    {%- set options = {'recursiveFileLookup': 'true', 'pathGlobFilter': '*.' ~ kind} -%}
    {%- if kind == 'parquet' -%}
        {%- do options.update({'mergeSchema': 'true'}) -%}
    {%- else -%}
        {#- Files with other headers than the first are an error, not misread. One file alone may
            have a column without a name. -#}
        {%- set is_one_file = files | length == 1 and files[0].endswith('.csv') -%}
        {%- do options.update({
            'header': 'true', 'multiLine': 'true', 'escape': '"', 'mode': 'FAILFAST',
            'enforceSchema': is_one_file | string | lower,
        }) -%}
    {%- endif -%}
    {%- set path = files[0] if files | length == 1 else '{' ~ files | join(',') ~ '}' -%}
    {{ kind }}.`{{ path }}` with (
        {%- for name, value in options.items() -%}
        '{{ name }}' = '{{ value }}'{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{% macro path_list(files) -%}
    {%- set literals = [] -%}
    {%- for file in files -%}
        {%- do literals.append("'" ~ escape_single_quotes(file) ~ "'") -%}
    {%- endfor -%}
    [{{ literals | join(', ') }}]
{%- endmacro %}

{% macro file_headers(table, found) -%}
    {{ return(adapter.dispatch('file_headers')(table, found)) }}
{%- endmacro %}

{% macro default__file_headers(table, found) -%}
    {%- set headers = [] -%}
    {%- if found.kind == 'csv' -%}
        {%- for layout in once_a_run('layouts of ' ~ table, csv_layouts, table).layouts -%}
            {%- do headers.append({'columns': layout.names, 'files': layout.files}) -%}
        {%- endfor -%}
    {%- elif found.files | length > 1 -%}
        {#- Grouped by the engine: a thousand files have few headers. -#}
        {%- set statement -%}
            select columns, string_agg(file_name, chr(10) order by file_name) as files
            from (
                select file_name, string_agg(lower(name), chr(10) order by name) as columns
                from parquet_schema({{ path_list(found.files if found.has_hidden else found.globs) }})
                where num_children is null
                group by file_name
            )
            group by columns
        {%- endset -%}
        {%- for row in run_query(statement) -%}
            {%- do headers.append({'columns': row[0].split('\n'), 'files': row[1].split('\n')}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(headers) }}
{%- endmacro %}

{% macro spark__file_headers(table, found) -%}
    {#- Spark tells nothing of one file among many without a job for each. -#}
    {{ return([]) }}
{%- endmacro %}

{% macro unreadable_files(table, found) -%}
    {{ return(adapter.dispatch('unreadable_files')(table, found)) }}
{%- endmacro %}

{% macro default__unreadable_files(table, found) -%}
    {%- if found.kind == 'csv' -%}
        {{ return(csv_faults(table)) }}
    {%- endif -%}
    {#- A whole Parquet file begins and ends with PAR1. To look is to read it: only where that is
        little; what is left is caught when the files are opened, without the name of the file. -#}
    {%- set problems = [] -%}
    {%- set paths = path_list(found.files if found.has_hidden else found.globs) -%}
    {%- set n_bytes = run_query('select sum(size) from read_blob(' ~ paths ~ ')')[0][0] -%}
    {%- if n_bytes < 256 * 1024 * 1024 -%}
        {%- set mark = "encode('PAR1')" -%}
        {%- set broken = run_query(
            'select filename from read_blob(' ~ paths ~ ') where size < 12 or content[:4] <> ' ~ mark
            ~ ' or content[-4:] <> ' ~ mark ~ ' order by 1') -%}
        {%- for row in broken -%}
            {%- do problems.append(row[0] ~ ' is cut short, or no Parquet file. Deliver it again.') -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro spark__unreadable_files(table, found) -%}
    {#- A line with another number of fields than the header is an error, where all are read. -#}
    {%- if found.kind == 'csv' -%}
        {%- do run_query('select count(hash(*)) from ' ~ read_raw_files(table, found)) -%}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}

{% macro relation_columns(relation) -%}
    {{ return(adapter.dispatch('relation_columns')(relation)) }}
{%- endmacro %}

{% macro default__relation_columns(relation) -%}
    {%- set columns = {} -%}
    {%- for row in run_query('describe select * from ' ~ relation) -%}
        {%- do columns.update({row[0] | lower: row[1] | lower}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro spark__relation_columns(relation) -%}
    {%- set columns = {} -%}
    {%- for row in run_query('describe query select * from ' ~ relation) -%}
        {%- do columns.update({row[0] | lower: row[1] | lower}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
