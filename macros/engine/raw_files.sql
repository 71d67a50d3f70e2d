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
        {{ exceptions.raise_compiler_error(
            'Raw table "' ~ table ~ '": both Parquet and CSV files are below ' ~ base
            ~ '. Keep one kind, so that no row is read twice.') }}
    {%- elif not found -%}
        {{ return({'kind': 'none', 'files': []}) }}
    {%- endif -%}
    {%- for kind, files in found.items() -%}
        {{ return({'kind': kind, 'files': files}) }}
    {%- endfor -%}
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
