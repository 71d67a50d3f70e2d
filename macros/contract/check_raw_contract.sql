{% macro check_raw_contract() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') and not flags.EMPTY -%}
        {%- set problems = key_problems() -%}
        {%- do problems.extend(variable_problems()) -%}
        {#- A connector's models are not built yet; their contracts hold them to this. -#}
        {%- if not var('raw_connector') -%}
            {%- set unread = unread_tables() -%}
            {%- for node in graph.sources.values() if node.source_name == 'raw' -%}
                {%- do problems.extend(raw_table_problems(node, unread)) -%}
            {%- endfor -%}
            {{ warn_of_unread(unread) }}
        {%- endif -%}
        {%- do problems.extend(swapped_people_problems() if not problems else []) -%}
        {%- if problems -%}
            {{ exceptions.raise_compiler_error(
                'The raw data does not meet its contract (models/sources). Nothing was built.\n'
                ~ problems | join('\n')) }}
        {%- endif -%}
        {%- do warn_of_the_sample_key() -%}
    {%- endif -%}
{%- endmacro %}

{% macro raw_table_problems(node, unread) -%}
    {%- set problems = raw_file_problems(node.name) -%}
    {%- if problems -%}
        {{ return(problems) }}
    {%- endif -%}
    {%- set relation = raw_relation(node.name) -%}
    {%- if not relation -%}
        {%- set is_derived = node.name == 'sampling_frame' and var('derive_sampling_frame') -%}
        {%- if node.config.meta.is_required and not is_derived -%}
            {%- set place = 'schema "' ~ var('raw_schema') ~ '"' if var('raw_schema')
                else var('raw_path') ~ '/' ~ node.name ~ '.parquet, .csv, or a folder of them' -%}
            {%- do problems.append('- ' ~ node.name ~ ': required table not found. Put it in '
                ~ place ~ ', or set raw_path, raw_schema or raw_connector.'
                ~ (' Where none was kept: derive_sampling_frame: true counts one, if audits were drawn '
                    ~ 'at random within week, queue and action group (docs/own_data.md).'
                    if node.name == 'sampling_frame' else '')) -%}
        {%- endif -%}
        {{ return(problems) }}
    {%- endif -%}
    {#- The engine's own message shows lines of the data, and a page of settings. -#}
    {%- set present = try_or_compiler_error(
        'Raw table "' ~ node.name ~ '" cannot be read: a file of it is cut short, or is not what its '
        ~ 'ending says. Nothing was built. What the engine says of it is in the log of dbt.',
        raw_columns, node.name, relation) -%}
    {%- do problems.extend(unread_columns(node, present, unread)) -%}
    {%- set asked = [] -%}
    {%- for column in node.columns.values() -%}
        {%- if column.name not in present -%}
            {%- if column.config.meta.is_required -%}
                {%- do problems.append('- ' ~ node.name ~ '.' ~ column.name
                    ~ ': required column not found. Add it as ' ~ column.data_type
                    ~ '; the table has ' ~ present | join(', ') ~ '.'
                    ~ wanted_form(column.data_type) ~ allowed_in(column)) -%}
            {%- endif -%}
        {%- elif is_bad(node, column, present[column.name]) -%}
            {%- do asked.append(column) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- One pass over the table for all columns; the rows are asked for where there are any. -#}
    {%- if asked -%}
        {%- set counts = [] -%}
        {%- for column in asked -%}
            {%- do counts.append('count_if(' ~ is_bad(node, column, present[column.name]) ~ ')') -%}
        {%- endfor -%}
        {%- set n_bad = run_query('select ' ~ counts | join(', ') ~ ' from ' ~ relation)[0] -%}
        {%- for column in asked -%}
            {%- set n = n_bad[loop.index0] -%}
            {%- do problems.append('- ' ~ node.name ~ '.' ~ column.name ~ ': ' ~ n
                ~ unreadable_values(relation, node, column, present)) if n -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro allowed_in(column) -%}
    {%- set allowed = column.config.meta.get('allowed') -%}
    {%- if allowed is string -%}
        {%- set allowed = seed_keys(allowed) -%}
    {%- endif -%}
    {{ return(' Allowed in ' ~ column.name ~ ': ' ~ allowed | join(', ') ~ '.' if allowed else '') }}
{%- endmacro %}

{% macro seed_keys(name) -%}
    {#- Before the first build a seed is a file alone. -#}
    {%- set seed = graph.nodes['seed.' ~ project_name ~ '.' ~ name] -%}
    {{ return(run_query(
        'select ' ~ seed.columns.keys() | first ~ ' from '
        ~ read_files('csv', [seed.root_path ~ '/' ~ seed.original_file_path])
    ).columns[0].values()) }}
{%- endmacro %}

{% macro raw_file_problems(table) -%}
    {%- set problems = [] -%}
    {%- if not var('raw_schema') -%}
        {%- set found = once_a_run('files of ' ~ table, raw_files, table) -%}
        {%- if found.is_mixed -%}
            {%- do problems.append('- ' ~ table ~ ': both Parquet and CSV files are below '
                ~ var('raw_path') ~ '. Keep one kind, so that no row is read twice.') -%}
        {%- elif found.files -%}
            {%- set faults = try_or_compiler_error(
                'Raw table "' ~ table ~ '" cannot be read: a file of it is cut short, mixes line '
                ~ 'endings, has lines of more or fewer fields than its header, or is not what its '
                ~ 'ending says. Nothing was built. What the engine says of it is in the log of dbt.',
                unreadable_files, table, found) -%}
            {%- for fault in faults[:5] -%}
                {%- do problems.append('- ' ~ table ~ ': ' ~ fault) -%}
            {%- endfor -%}
            {%- if faults | length > 5 -%}
                {%- do problems.append('- ' ~ table ~ ': and more (at least '
                    ~ (faults | length - 5) ~ ').') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro is_bad(node, column, has_type) -%}
    {#- The condition of a value that the contract's type cannot hold; nothing where it always can. -#}
    {%- set name, wants_type = column.name, column.data_type -%}
    {%- set cast_value = try_cast(name, wants_type) -%}
    {%- if lost_its_digits(node, column, has_type) -%}
        {{ return(name ~ ' is not null') }}
    {%- elif same_type(has_type, wants_type) or wants_type == 'string' -%}
        {{ return('') }}
    {%- elif wants_type == 'bigint' -%}
        {%- set as_number = try_cast(name, 'double') -%}
        {{ return(name ~ ' is not null and (' ~ cast_value ~ ' is null or ' ~ as_number
            ~ ' <> floor(' ~ as_number ~ '))') }}
    {%- elif wants_type == 'boolean' and not is_text(has_type) -%}
        {{ return(name ~ ' is not null and ' ~ try_cast(name, 'double') ~ ' not in (0, 1)') }}
    {%- elif wants_type in ('timestamp', 'date') and is_text(has_type) -%}
        {%- if wants_type == 'timestamp' -%}
            {%- set cast_value = text_timestamp(name, 'try_cast') -%}
        {%- endif -%}
        {{ return(name ~ ' is not null and (' ~ cast_value ~ ' is null or not '
            ~ has_text_form(name, wants_type) ~ ')') }}
    {%- endif -%}
    {{ return(name ~ ' is not null and ' ~ cast_value ~ ' is null') }}
{%- endmacro %}

{% macro lost_its_digits(node, column, has_type) -%}
    {%- set is_id = column.name.endswith('_id') or column.name in node.config.meta.key -%}
    {%- set has_fraction = has_type in ('double', 'float')
        or (has_type.startswith('decimal') and not has_type.endswith(',0)')) -%}
    {{ return(column.data_type == 'string' and is_id and has_fraction) }}
{%- endmacro %}

{% macro unreadable_values(relation, node, column, present) -%}
    {%- set has_type = present[column.name] -%}
    {%- if lost_its_digits(node, column, has_type) -%}
        {{ return(' ids are of type ' ~ has_type ~ ', which loses digits and gains ".0". Deliver '
            ~ 'the column as text, from the source itself.') }}
    {%- endif -%}
    {%- set keys = node.config.meta.key | select('in', present) | list -%}
    {%- set shown_keys = [] -%}
    {%- for name in keys -%}
        {%- do shown_keys.append(shown(name)) -%}
    {%- endfor -%}
    {%- set key = "concat_ws('/', " ~ shown_keys | join(', ') ~ ")" if keys
        else "'a row with no key'" -%}
    {%- set found = run_query(
        'select cast(' ~ column.name ~ ' as string), cast(' ~ key ~ ' as string) from ' ~ relation
        ~ ' where ' ~ is_bad(node, column, has_type) ~ ' order by 2, 1 limit 3') -%}
    {%- set examples = [] -%}
    {%- for row in found -%}
        {%- do examples.append('"' ~ form_of(row[0], column.data_type) ~ '" in ' ~ keys | join('/')
            ~ ' ' ~ row[1]) -%}
    {%- endfor -%}
    {{ return(' values cannot be read as ' ~ column.data_type ~ ' (they are ' ~ has_type
        ~ '), such as ' ~ examples | join('; ') ~ '.' ~ wanted_form(column.data_type)
        ~ ' Correct them in the source or its mapping.') }}
{%- endmacro %}
