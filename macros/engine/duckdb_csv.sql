{#- How DuckDB reads the CSV files of raw tables. Spark reads a header and guesses nothing else. -#}

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
