{% macro check_raw_contract() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') and not flags.EMPTY -%}
        {%- set problems = key_problems() -%}
        {#- A connector's models are not built yet; their contracts hold them to this. -#}
        {%- if not var('raw_connector') -%}
            {%- for node in graph.sources.values() if node.source_name == 'raw' -%}
                {%- do problems.extend(raw_table_problems(node)) -%}
            {%- endfor -%}
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

{% macro raw_table_problems(node) -%}
    {%- set problems = [] -%}
    {%- set relation = raw_relation(node.name) -%}
    {%- if not relation -%}
        {%- if node.config.meta.is_required -%}
            {%- set place = 'schema "' ~ var('raw_schema') ~ '"' if var('raw_schema')
                else var('raw_path') ~ '/' ~ node.name ~ '.parquet, .csv, or a folder of them' -%}
            {%- do problems.append('- ' ~ node.name ~ ': required table not found. Put it in '
                ~ place ~ ', or set raw_path, raw_schema or raw_connector.') -%}
        {%- endif -%}
        {{ return(problems) }}
    {%- endif -%}
    {%- set present = raw_columns(node.name, relation) -%}
    {%- for column in node.columns.values() -%}
        {%- if column.name not in present -%}
            {%- if column.config.meta.is_required -%}
                {%- do problems.append('- ' ~ node.name ~ '.' ~ column.name
                    ~ ': required column not found. Add it as ' ~ column.data_type
                    ~ '; the table has ' ~ present | join(', ') ~ '.') -%}
            {%- endif -%}
        {%- elif not same_type(present[column.name], column.data_type) -%}
            {%- set bad = unreadable_values(relation, node, column, present) -%}
            {%- if bad.n -%}
                {%- do problems.append('- ' ~ node.name ~ '.' ~ column.name ~ ': ' ~ bad.n
                    ~ ' values cannot be read as ' ~ column.data_type ~ ' (they are '
                    ~ present[column.name] ~ '), such as ' ~ bad.examples
                    ~ '. Correct them in the source or its mapping.') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro unreadable_values(relation, node, column, present) -%}
    {%- set value = column.name -%}
    {%- set keys = node.config.meta.key | select('in', present) | list -%}
    {%- set shown_keys = [] -%}
    {%- for name in keys -%}
        {%- do shown_keys.append(shown(name)) -%}
    {%- endfor -%}
    {%- set key = "concat_ws('/', " ~ shown_keys | join(', ') ~ ")" if keys
        else "'a row with no key'" -%}
    {%- set cast_value = try_cast(value, column.data_type) -%}
    {%- set is_bad = value ~ ' is not null and ' ~ cast_value ~ ' is null' -%}
    {%- if column.data_type == 'bigint' -%}
        {%- set as_number = try_cast(value, 'double') -%}
        {%- set is_bad = is_bad ~ ' or ' ~ as_number ~ ' <> floor(' ~ as_number ~ ')' -%}
    {%- endif -%}
    {%- set found = run_query(
        'select cast(' ~ value ~ ' as string), cast(' ~ key ~ ' as string), count(*) over () '
        ~ 'from ' ~ relation ~ ' where ' ~ is_bad ~ ' order by 2, 1 limit 3') -%}
    {%- set examples = [] -%}
    {%- for row in found -%}
        {%- do examples.append('"' ~ row[0] ~ '" in ' ~ keys | join('/') ~ ' ' ~ row[1]) -%}
    {%- endfor -%}
    {{ return({'n': found[0][2] if found | length else 0, 'examples': examples | join('; ')}) }}
{%- endmacro %}
