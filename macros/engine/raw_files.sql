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
            'header': 'true', 'multiLine': 'true', 'escape': '"',
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

{% macro read_csv_files(files, layout, rejects=none) -%}
    read_csv(
        {{ path_list(files) }},
        auto_detect = false, hive_partitioning = false, header = true, skip = {{ layout.skip }},
        delim = '{{ layout.delimiter | replace("\t", "\\t") }}', quote = '"', escape = '"',
        nullstr = '', allow_quoted_nulls = {{ layout.is_quoted | lower }},
        {%- if rejects %}
        store_rejects = true, rejects_limit = 100,
        rejects_table = '{{ rejects }}', rejects_scan = '{{ rejects }}_scans',
        {%- endif %}
        columns = {
            {%- for column in layout.columns %}
            '{{ escape_single_quotes(column) }}': 'varchar'{{ ',' if not loop.last }}
            {%- endfor %}
        }
    )
{%- endmacro %}

{% macro csv_layouts(table) -%}
    {#- DuckDB would guess a layout from all lines, so that one bad line changes how all are read, and
        that for each file and each model. Here the header, which the contract knows, decides. -#}
    {%- set found = once_a_run('files of ' ~ table, raw_files, table) -%}
    {%- set known = [] -%}
    {%- for column in raw_contract(table).columns -%}
        {%- do known.append(squeezed(column)) -%}
    {%- endfor -%}
    {%- set heads = [] -%}
    {%- for file in found.files -%}
        {%- set head -%}
            (
                select {{ loop.index0 }} as n, string_agg(coalesce(line, ''), chr(10)) as head
                from (
                    select line
                    from read_csv(
                        {{ path_list([file]) }},
                        auto_detect = false, header = false, columns = {'line': 'varchar'},
                        delim = chr(1), quote = '', escape = '', encoding = 'latin-1',
                        strict_mode = false, ignore_errors = true, parallel = false,
                        max_line_size = 65536, buffer_size = 131072
                    )
                    limit 20
                )
            )
        {%- endset -%}
        {%- do heads.append(head) -%}
    {%- endfor -%}
    {%- set problems, layouts, seen = [], {}, {} -%}
    {%- for row in run_query(heads | join(' union all ') ~ ' order by n') -%}
        {%- set file, lines = found.files[row[0]], (row[1] or '').split('\n') -%}
        {#- Most files of a table begin alike. -#}
        {%- if lines[0] not in seen -%}
            {%- set header = csv_header(lines, known) -%}
            {%- if header and header.skip == 0 -%}
                {%- do seen.update({lines[0]: header}) -%}
            {%- endif -%}
        {%- else -%}
            {%- set header = seen[lines[0]] -%}
        {%- endif -%}
        {%- if not row[1] -%}
            {%- do problems.append(file ~ ' is empty. Deliver at least its header, or remove it.') -%}
        {%- elif '\x00' in row[1] or lines[0][:2] in ('ÿþ', 'þÿ') -%}
            {%- do problems.append(file ~ ' is not UTF-8 (it looks like UTF-16). Export it as UTF-8.') -%}
        {%- elif not header -%}
            {%- do problems.append(file ~ ': none of its first 20 lines names columns of ' ~ table
                ~ '. Give it a header, separated by comma, semicolon, tab or |.') -%}
        {%- else -%}
            {%- set repeated = [] -%}
            {%- for name in header.columns if header.names.count(name | lower) > 1 -%}
                {%- do repeated.append(name) -%}
            {%- endfor -%}
            {%- if repeated -%}
                {%- do problems.append(file ~ ' names a column more than once: '
                    ~ repeated | join(', ') ~ '. Keep the right one.') -%}
            {%- endif -%}
            {#- In a file that quotes every field a blank in quotes is a null. -#}
            {%- set first = lines[header.skip + 1] if lines | length > header.skip + 1 else '' -%}
            {%- set n_quoted = first.count('"' ~ header.delimiter ~ '"') + 1 -%}
            {%- set is_quoted = header.is_quoted and first[:1] == '"'
                and n_quoted == header.columns | length -%}
            {%- set layout = layouts.setdefault(
                [header.line, header.skip, is_quoted] | string,
                dict(header, is_quoted=is_quoted, files=[])
            ) -%}
            {%- do layout.files.append(file) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({'problems': problems, 'layouts': layouts.values() | list}) }}
{%- endmacro %}

{% macro csv_header(lines, known) -%}
    {#- The line that names most columns of the contract, and at least two. -#}
    {%- set best = {'n_known': 1} -%}
    {%- for line in lines -%}
        {%- set skip = loop.index0 -%}
        {%- for delimiter in [',', ';', '\t', '|'] if delimiter in line -%}
            {%- set columns, names, n_known, n_quoted = [], [], [], [] -%}
            {%- for field in (line | replace('ï»¿', '')).rstrip('\r').split(delimiter) -%}
                {%- set is_quoted = field | length > 1 and field[0] == '"' and field[-1] == '"' -%}
                {%- set name = (field[1:-1] if is_quoted else field) or 'column' ~ loop.index0 -%}
                {%- do columns.append(name) -%}
                {%- do names.append(name | lower) -%}
                {%- do n_quoted.append(1) if is_quoted -%}
                {%- do n_known.append(1) if squeezed(name) in known -%}
            {%- endfor -%}
            {%- if n_known | length > best.n_known -%}
                {%- do best.update({
                    'n_known': n_known | length, 'line': line, 'skip': skip,
                    'delimiter': delimiter, 'columns': columns, 'names': names,
                    'is_quoted': n_quoted | length == columns | length,
                }) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(best if best.line else none) }}
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
    {{ return([]) }}
{%- endmacro %}

{% macro csv_faults(table) -%}
    {%- set read = once_a_run('layouts of ' ~ table, csv_layouts, table) -%}
    {%- if read.problems -%}
        {{ return(read.problems) }}
    {%- endif -%}
    {%- set problems, rejects = [], 'rejects_of_' ~ table -%}
    {%- for suffix in ['', '_scans'] -%}
        {%- do run_query('drop table if exists ' ~ rejects ~ suffix) -%}
    {%- endfor -%}
    {%- for layout in read.layouts -%}
        {#- Whether text is UTF-8 is asked of columns that are read. -#}
        {%- do run_query('select count(columns(*)) from ' ~ read_csv_files(layout.files, layout, rejects)) -%}
    {%- endfor -%}
    {%- set statement -%}
        select scans.file_path, faults.line, faults.error_type, faults.error_message
        from {{ rejects }} as faults
        inner join {{ rejects }}_scans as scans using (scan_id, file_id)
        qualify row_number() over (partition by scan_id, file_id, line order by column_idx) = 1
        order by 1, 2
    {%- endset -%}
    {%- for row in run_query(statement) -%}
        {%- set numbers = modules.re.findall('[0-9]+', row[3]) -%}
        {%- set what = {
            'MISSING COLUMNS': 'has ' ~ numbers[1:2] | join ~ ' fields, the header '
                ~ numbers[:1] | join ~ '. Is the file cut short, or a line broken?',
            'TOO MANY COLUMNS': 'has ' ~ numbers[1:2] | join ~ ' fields, the header '
                ~ numbers[:1] | join ~ '. Quote a value that holds the separator.',
            'UNQUOTED VALUE': 'has a quote that does not close. Double a quote inside a value.',
            'INVALID ENCODING': 'is not UTF-8. Export the file as UTF-8.',
        }.get(row[2], 'cannot be read (' ~ row[2] | lower ~ ').') -%}
        {%- do problems.append(row[0] ~ ', line ' ~ row[1] ~ ' ' ~ what) -%}
    {%- endfor -%}
    {{ return(problems) }}
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
