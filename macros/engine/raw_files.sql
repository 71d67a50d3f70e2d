{% macro raw_files(table) -%}
    {{ return(adapter.dispatch('raw_files')(table)) }}
{%- endmacro %}

{% macro default__raw_files(table) -%}
    {%- set base = var('raw_path') ~ '/' ~ table -%}
    {%- set found = {} -%}
    {%- for kind in ['parquet', 'csv'] -%}
        {%- set globs = [base ~ '.' ~ kind, base ~ '/**/*.' ~ kind] -%}
        {%- for glob in globs -%}
            {%- set n = run_query("select count(*) from glob('" ~ glob ~ "')").columns[0][0] -%}
            {%- if n > 0 -%}
                {%- do found.setdefault(kind, []).append(glob) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if found | length > 1 -%}
        {{ mixed_kinds(table, base) }}
    {%- elif not found -%}
        {{ return({'kind': 'none', 'files': []}) }}
    {%- endif -%}
    {%- for kind, files in found.items() -%}
        {{ return({'kind': kind, 'files': files}) }}
    {%- endfor -%}
{%- endmacro %}

{% macro spark__raw_files(table) -%}
    {%- set base = var('raw_path') ~ '/' ~ table -%}
    {#- To list files is to read their paths. No file is no error here, only an empty answer. -#}
    {%- set listing -%}
        begin
            declare exit handler for path_not_found
                begin
                    select cast(null as string) as kind where false;
                end;
            select distinct lower(regexp_extract(path, '[.]([^.]+)$', 1)) as kind
            from binaryFile.`{{ base }}{.parquet,.csv,}` with ('recursiveFileLookup' = 'true');
        end
    {%- endset -%}
    {%- set kinds = run_query(listing).columns[0].values() | select('in', ['parquet', 'csv']) | list
    -%}
    {%- if kinds | length > 1 -%}
        {{ mixed_kinds(table, base) }}
    {%- endif -%}
    {%- set kind = kinds | first | default('none') -%}
    {{ return({
        'kind': kind,
        'files': [] if kind == 'none' else [base ~ '{.' ~ kind ~ ',}'],
    }) }}
{%- endmacro %}

{% macro mixed_kinds(table, base) -%}
    {{ exceptions.raise_compiler_error(
        'Raw table "' ~ table ~ '": both Parquet and CSV files are below ' ~ base
        ~ '. Keep one kind, so that no row is read twice.') }}
{%- endmacro %}

{% macro read_files(kind, files) -%}
    {{ return(adapter.dispatch('read_files')(kind, files)) }}
{%- endmacro %}

{% macro default__read_files(kind, files) -%}
    {%- set list = "['" ~ files | join("', '") ~ "']" -%}
    {%- if kind == 'parquet' -%}
        read_parquet({{ list }}, union_by_name = true, hive_partitioning = false)
    {%- else -%}
        read_csv({{ list }}, union_by_name = true, hive_partitioning = false, header = true,
            all_varchar = true, nullstr = '', allow_quoted_nulls = false)
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
