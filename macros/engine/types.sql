{#- What differs between SQL engines, and nothing else. One macro a difference, dispatched. -#}

{% macro try_cast(expression, data_type) -%}
    {{ return(adapter.dispatch('try_cast')(expression, data_type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{% macro sha256(expression) -%}
    {{ return(adapter.dispatch('sha256')(expression)) }}
{%- endmacro %}

{% macro default__sha256(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro spark__sha256(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{#- HMAC (RFC 2104), with a secret of the session as the key. -#}
{% macro hmac_sha256(secret, message) -%}
    {%- set inner = padded_key(secret, '36') ~ ' || ' ~ utf8_bytes(message) -%}
    {%- set outer = padded_key(secret, '5c') ~ ' || unhex(' ~ sha256(inner) ~ ')' -%}
    {{ sha256(outer) }}
{%- endmacro %}

{% macro padded_key(secret, byte) -%}
    {{ return(adapter.dispatch('padded_key')(secret, byte)) }}
{%- endmacro %}

{% macro default__padded_key(secret, byte) -%}
    {%- set key = session_secret(secret) -%}
    cast(
        xor(
            cast(
                unhex(rpad(if(strlen({{ key }}) > 64, sha256({{ key }}), hex({{ key }})), 128, '0'))
                as bit
            ),
            cast(unhex(repeat('{{ byte }}', 64)) as bit)
        ) as blob
    )
{%- endmacro %}

{% macro spark__padded_key(secret, byte) -%}
    {#- Worked out once a statement, not for each row; and as rows that a plan has, which are shown
        nowhere, where it shows constants. -#}
    (
        select
            unhex(array_join(transform(sequence(1, 127, 2), place -> lpad(
                hex(cast(conv(substr(key, place, 2), 16, 10) as int) ^ {{ ('0x' ~ byte) | int(base=16) }}),
                2,
                '0'
            )), '')) as padded_key
        from (
            select rpad(if(length(key) > 128, sha2(unhex(key), 256), key), 128, '0') as key
            from values (hex({{ session_secret(secret) }})) as session_keys (key)
        )
    )
{%- endmacro %}

{% macro utf8_bytes(expression) -%}
    {{ return(adapter.dispatch('utf8_bytes')(expression)) }}
{%- endmacro %}

{% macro default__utf8_bytes(expression) -%}
    encode({{ expression }})
{%- endmacro %}

{% macro spark__utf8_bytes(expression) -%}
    cast({{ expression }} as binary)
{%- endmacro %}

{% macro joined_text(expression, separator=', ') -%}
    {{ return(adapter.dispatch('joined_text')(expression, separator)) }}
{%- endmacro %}

{% macro default__joined_text(expression, separator) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro spark__joined_text(expression, separator) -%}
    {#- Joined from nothing, a text is empty in Spark; it is null, as elsewhere. -#}
    case when count({{ expression }}) > 0 then
        array_join(array_sort(collect_list({{ expression }})), '{{ separator }}')
    end
{%- endmacro %}

{% macro session_secret(name) -%}
    {{ return(adapter.dispatch('session_secret')(name)) }}
{%- endmacro %}

{% macro default__session_secret(name) -%}
    getvariable('{{ name }}')
{%- endmacro %}

{% macro spark__session_secret(name) -%}
    {#- Spark puts parameters and its own environment in place of their names as it reads a
        statement. A parameter may be seen in the list of processes, so it may say where to look. -#}
    {%- set parameter = 'r"${spark.moderation_quality.' ~ name ~ '}"' -%}
    if(
        {{ parameter }} = 'in the environment',
        r"${env:DBT_ENV_SECRET_{{ name | upper }}}",
        {{ parameter }}
    )
{%- endmacro %}

{% macro is_secret_known(name) -%}
    {{ return(adapter.dispatch('is_secret_known')(name)) }}
{%- endmacro %}

{% macro default__is_secret_known(name) -%}
    length({{ session_secret(name) }}) > 0
{%- endmacro %}

{% macro spark__is_secret_known(name) -%}
    {#- A session without the parameter leaves its name, and one that takes the name for a secret
        gives asterisks: with either, everybody would know the key. -#}
    not (
        {{ session_secret(name) }} in ('', '*********(redacted)')
        or {{ session_secret(name) }} like concat('$', '{', '%')
    )
{%- endmacro %}

{% macro may_log_secrets() -%}
    {{ return(adapter.dispatch('may_log_secrets')()) }}
{%- endmacro %}

{% macro default__may_log_secrets() -%}
    false
{%- endmacro %}

{% macro spark__may_log_secrets() -%}
    {#- Of an event that takes a second Spark logs all parameters of the session, unredacted. -#}
    r"${spark.scheduler.listenerbus.logSlowEvent}" <> 'false'
{%- endmacro %}

{% macro read_anew() -%}
    {{ return(adapter.dispatch('read_anew')()) }}
{%- endmacro %}

{% macro default__read_anew() -%}
    not materialized
{%- endmacro %}

{% macro spark__read_anew() -%}
    {#- Spark does so unasked. -#}
{%- endmacro %}

{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
    {#- DuckDB does so unasked. -#}
    true
{%- endmacro %}

{% macro spark__computed_once() -%}
    {#- Always true. Spark puts a step in the place of each of its uses, and steps of steps multiply;
        not where it cannot know that two evaluations are equal. -#}
    rand() >= 0
{%- endmacro %}

{% macro exact_sum(expression, bits=60, over=none) -%}
    {#- Doubles added in another order give another last digit, and a parallel engine has no order.
        As whole multiples of a power of two they are added without rounding. -#}
    cast(
        sum(cast(({{ expression }}) * power(2e0, {{ bits }}) as decimal(38, 0)))
        {{- ' over (' ~ over ~ ')' if over }} as double
    ) / power(2e0, {{ bits }})
{%- endmacro %}

{% macro spelling(name) -%}
    {{ return(adapter.dispatch('spelling')(name)) }}
{%- endmacro %}

{% macro default__spelling(name) -%}
    regexp_replace(lower({{ name }}), '{{ unseen_characters() }}', '', 'g')
{%- endmacro %}

{% macro spark__spelling(name) -%}
    regexp_replace(lower({{ name }}), r'{{ unseen_characters() }}', '')
{%- endmacro %}

{% macro unseen_characters() -%}
    {#- Spaces of all kinds, and what has no width: joiners, marks of direction and of byte order. -#}
    [ \t\r\n\x{00A0}\x{200B}-\x{200F}\x{2060}\x{FEFF}]
{%- endmacro %}
