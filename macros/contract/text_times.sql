{#- Times that arrive as text, in raw tables and in the variable as_of: one rule for all. -#}

{% macro text_timestamp(expression, cast='cast') -%}
    {{ return(adapter.dispatch('text_timestamp')(expression, cast)) }}
{%- endmacro %}

{% macro default__text_timestamp(expression, cast) -%}
    {#- A cast alone would drop the offset. The session's time zone is UTC. -#}
    cast({{ cast }}({{ expression }} as timestamptz) as timestamp)
{%- endmacro %}

{% macro spark__text_timestamp(expression, cast) -%}
    {#- Spark applies the offset, but only after seconds. -#}
    {{ cast }}(
        case
            when {{ expression }} rlike '[ T][0-9]{1,2}:[0-9]{2} ?[Z+U-]'
                then regexp_replace(
                    {{ expression }}, '(:[0-9]{2})( ?[Z+U-].*)$', '$1:00$2'
                )
            else {{ expression }}
        end as timestamp
    )
{%- endmacro %}

{% macro text_form(data_type) -%}
    {#- Words after a time (AM, PM, zones) and other orders of the day are read by some engine as
        something; ISO 8601 means one thing. A date has no time but midnight. -#}
    {%- set date = '[0-9]{4,5}-[0-9]{1,2}-[0-9]{1,2}' -%}
    {%- set time = '[ T](0?[0-9]|1[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?'
        ~ '(Z| ?UTC|[+-][0-9]{2}(:?[0-9]{2})?)?' -%}
    {%- set midnight = '[ T]00:00(:00([.]0+)?)?' -%}
    {{ return(
        '^ *(' ~ date ~ '(' ~ (time if data_type == 'timestamp' else midnight)
        ~ ')?|[+-]?[Ii]nfinity) *$'
    ) }}
{%- endmacro %}

{% macro has_text_form(expression, data_type) -%}
    regexp_replace({{ expression }}, '{{ text_form(data_type) }}', '') = ''
{%- endmacro %}

{% macro wanted_form(data_type) -%}
    {{ return({
        'timestamp': ' Wanted: YYYY-MM-DD HH:MM:SS, UTC, such as 2026-03-02 09:00:00, or with Z or '
            ~ 'an offset such as +09:00.',
        'date': ' Wanted: YYYY-MM-DD, such as 2026-03-02.',
        'boolean': ' Wanted: true or false, or 1 or 0.',
    }.get(data_type, '')) }}
{%- endmacro %}

{% macro form_of(value, data_type) -%}
    {#- Two swapped columns must not print the ids of people: a 9 for a digit, an a for a letter. -#}
    {%- if modules.re.match(text_form(data_type), value) -%}
        {{ return(value) }}
    {%- endif -%}
    {%- set form = [] -%}
    {%- for part in modules.re.findall('[^\\W\\d_]+|\\d|.', value[:40]) -%}
        {%- do form.append(
            '9' if modules.re.match('\\d', part)
            else part if part | upper in ('AM', 'PM') or not modules.re.match('[^\\W\\d_]', part)
            else 'a' * part | length
        ) -%}
    {%- endfor -%}
    {{ return(form | join) }}
{%- endmacro %}

{% macro given_as_of() -%}
    {{ text_timestamp("'" ~ var('as_of') ~ "'") }}
{%- endmacro %}
