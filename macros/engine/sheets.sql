{#- How a spreadsheet's text is read: its rows in their order, and times in a format of its own. -#}

{% macro numbered_rows(path) -%}
    {{ return(adapter.dispatch('numbered_rows')(path)) }}
{%- endmacro %}

{% macro default__numbered_rows(path) -%}
    {#- As a person counts them: the header is row 1. -#}
    (
        select
            *,
            row_number() over () + 1 as row_no
        from read_csv(
            {{ path_list([path]) }}, header = true, all_varchar = true, nullstr = '',
            null_padding = true, parallel = false, hive_partitioning = false
        )
    ) as sheet
{%- endmacro %}

{% macro spark__numbered_rows(path) -%}
    {#- Of one file that is read whole, in its order. -#}
    (
        select
            *,
            row_number() over (order by monotonically_increasing_id()) + 1 as row_no
        from {{ read_files('csv', [path]) }}
    ) as sheet
{%- endmacro %}

{% macro file_text(path) -%}
    {{ return(adapter.dispatch('file_text')(path)) }}
{%- endmacro %}

{% macro default__file_text(path) -%}
    {{ return('select content from read_text(' ~ path_list([path]) ~ ')') }}
{%- endmacro %}

{% macro spark__file_text(path) -%}
    {{ return('select value from text.`' ~ path ~ "` with ('wholetext' = 'true')") }}
{%- endmacro %}

{% macro parsed_time(text, formats) -%}
    {{ return(adapter.dispatch('parsed_time')(text, formats)) }}
{%- endmacro %}

{% macro default__parsed_time(text, formats) -%}
    try_strptime({{ text }}, {{ path_list(formats) }})
{%- endmacro %}

{% macro spark__parsed_time(text, formats) -%}
    {%- set letters = {
        '%Y': 'yyyy', '%y': 'yy', '%m': 'M', '%d': 'd', '%H': 'H', '%I': 'h', '%M': 'mm', '%S': 'ss',
        '%p': 'a', '%b': 'MMM', '%B': 'MMMM',
    } -%}
    coalesce(
        {%- for format in formats -%}
        {%- set pattern = namespace(text=format) -%}
        {%- for ours, javas in letters.items() -%}
            {%- set pattern.text = pattern.text | replace(ours, javas) -%}
        {%- endfor -%}
        try_to_timestamp({{ text }}, '{{ pattern.text }}'){{ ', ' }}
        {%- endfor -%}
        cast(null as timestamp)
    )
{%- endmacro %}

{% macro parsed_day_number(text) -%}
    {{ return(adapter.dispatch('parsed_day_number')(text)) }}
{%- endmacro %}

{% macro default__parsed_day_number(text) -%}
    {#- A spreadsheet's own date: days since the last but one of 1899. -#}
    case
        when regexp_replace({{ text }}, '^[0-9]{5}$', '') = ''
            then cast(
                date '1899-12-30' + {{ try_cast(text, 'integer') }} as timestamp
            )
    end
{%- endmacro %}

{% macro spark__parsed_day_number(text) -%}
    case
        when regexp_replace({{ text }}, '^[0-9]{5}$', '') = ''
            then cast(date_add(date '1899-12-30', {{ try_cast(text, 'int') }}) as timestamp)
    end
{%- endmacro %}

{% macro numbers_up_to(n) -%}
    {{ return(adapter.dispatch('numbers_up_to')(n)) }}
{%- endmacro %}

{% macro default__numbers_up_to(n) -%}
    unnest(generate_series(1, {{ n }}))
{%- endmacro %}

{% macro spark__numbers_up_to(n) -%}
    explode(sequence(1, {{ n }}))
{%- endmacro %}

{% macro add_seconds(moment, n) -%}
    {{ return(adapter.dispatch('add_seconds')(moment, n)) }}
{%- endmacro %}

{% macro default__add_seconds(moment, n) -%}
    ({{ moment }} + to_seconds({{ n }}))
{%- endmacro %}

{% macro spark__add_seconds(moment, n) -%}
    timestampadd(second, cast({{ n }} as int), {{ moment }})
{%- endmacro %}
