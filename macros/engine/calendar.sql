{% macro local_timestamp(utc_timestamp) -%}
    {{ return(adapter.dispatch('local_timestamp')(utc_timestamp)) }}
{%- endmacro %}

{% macro default__local_timestamp(utc_timestamp) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
    {{ utc_timestamp }}
    {%- else -%}
    timezone('{{ var("reporting_timezone") }}', timezone('UTC', {{ utc_timestamp }}))
    {%- endif -%}
{%- endmacro %}

{% macro spark__local_timestamp(utc_timestamp) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
    {{ utc_timestamp }}
    {%- else -%}
    from_utc_timestamp({{ utc_timestamp }}, '{{ var("reporting_timezone") }}')
    {%- endif -%}
{%- endmacro %}

{% macro utc_timestamp(local_time, zone) -%}
    {{ return(adapter.dispatch('utc_timestamp')(local_time, zone)) }}
{%- endmacro %}

{% macro default__utc_timestamp(local_time, zone) -%}
    {%- if zone == 'UTC' -%}
    {{ local_time }}
    {%- else -%}
    timezone('UTC', timezone('{{ zone }}', {{ local_time }}))
    {%- endif -%}
{%- endmacro %}

{% macro spark__utc_timestamp(local_time, zone) -%}
    to_utc_timestamp({{ local_time }}, '{{ zone }}')
{%- endmacro %}

{% macro reporting_date(utc_timestamp) -%}
    cast({{ local_timestamp(utc_timestamp) }} as date)
{%- endmacro %}

{% macro date_series(first_day, last_day) -%}
    {{ return(adapter.dispatch('date_series')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__date_series(first_day, last_day) -%}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
        as calendar_date
{%- endmacro %}

{% macro spark__date_series(first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as calendar_date
{%- endmacro %}

{% macro add_days(date_expression, n_days) -%}
    {{ return(adapter.dispatch('add_days')(date_expression, n_days)) }}
{%- endmacro %}

{% macro default__add_days(date_expression, n_days) -%}
    cast({{ date_expression }} + cast({{ n_days }} as integer) as date)
{%- endmacro %}

{% macro days_between(first_date, last_date) -%}
    {{ return(adapter.dispatch('days_between')(first_date, last_date)) }}
{%- endmacro %}

{% macro default__days_between(first_date, last_date) -%}
    date_diff('day', {{ first_date }}, {{ last_date }})
{%- endmacro %}

{% macro spark__days_between(first_date, last_date) -%}
    datediff({{ last_date }}, {{ first_date }})
{%- endmacro %}

{% macro iso_weekday(date_expression) -%}
    {{ return(adapter.dispatch('iso_weekday')(date_expression)) }}
{%- endmacro %}

{% macro default__iso_weekday(date_expression) -%}
    cast(isodow({{ date_expression }}) as bigint)
{%- endmacro %}

{% macro spark__iso_weekday(date_expression) -%}
    cast(weekday({{ date_expression }}) + 1 as bigint)
{%- endmacro %}

{% macro week_start(date_expression) -%}
    {%- set names = [
        'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'
    ] -%}
    {%- set first = var('week_starts_on') | lower -%}
    {%- if first not in names -%}
        {{ exceptions.raise_compiler_error(
            'week_starts_on is "' ~ first ~ '"; it takes one of ' ~ names | join(', ') ~ '.') }}
    {%- endif -%}
    {{ add_days(
        date_expression,
        '-((' ~ iso_weekday(date_expression) ~ ' + ' ~ (6 - names.index(first)) ~ ') % 7)') }}
{%- endmacro %}

{% macro seconds_between(first_moment, last_moment) -%}
    {{ return(adapter.dispatch('seconds_between')(first_moment, last_moment)) }}
{%- endmacro %}

{% macro default__seconds_between(first_moment, last_moment) -%}
    cast(date_diff('second', {{ first_moment }}, {{ last_moment }}) as bigint)
{%- endmacro %}

{% macro spark__seconds_between(first_moment, last_moment) -%}
    cast(unix_timestamp({{ last_moment }}) - unix_timestamp({{ first_moment }}) as bigint)
{%- endmacro %}
