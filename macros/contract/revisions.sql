{#- Two selects of a raw table too large to be ranked as a whole. Nearly every key has one row, and
    only the others are looked at twice: a window over ten million rows costs more memory than all
    the rest of a build. -#}
{% macro recorded_on(recorded_at='recorded_at') -%}
    {#- A row that does not say when it was recorded is kept, and a test of its model fails. -#}
    coalesce(cast({{ recorded_at }} as date), date '1970-01-01')
{%- endmacro %}

{% macro decided_on() -%}
    {#- A decision without a time is an error of the contract, which a null day would hide. -#}
    coalesce({{ reporting_date('decided_at') }}, date '1970-01-01')
{%- endmacro %}

{% macro repeated_rows(table, carry=[]) -%}
    {%- set key = raw_identity(table).key -%}
    {%- set kept = key + carry + ['recorded_at'] -%}
    {%- set delivered_keys -%}
        select {{ key[0] }} from ({{ raw(table) }}) as delivered
        where {{ in_days_to_build(table, recorded_on(), 'recorded_at') }}
    {%- endset -%}
    with known as {{ read_anew() }} (
        select
            {{ kept | join(', ') }},
            {{ recorded_on() }} as recorded_on
        from ({{ raw(table) }}) as delivered
        where {{ known_as_of() }} and {{ in_range_of(key[0], delivered_keys) }}
    ),

    -- What this run looks at: any row of a key may be the second.
    wanted as (
        select {{ key | join(', ') }}
        from known
        where {{ in_days_to_build(table, 'recorded_on', 'recorded_at') }}
        group by {{ key | join(', ') }}
        {{ 'having count(*) > 1' if is_full_build() }}
    ),

    candidates as (
        select
            known.*,
            count(*) over (partition by known.{{ key | join(', known.') }}) as n_key_rows,
            max(case when {{ in_days_to_build(table, 'known.recorded_on') }} then known.recorded_on end)
                over (partition by known.{{ key | join(', known.') }}) as found_on
        from known
        inner join wanted
            on {% for column in key -%}
            known.{{ column }} = wanted.{{ column }}{{ ' and ' if not loop.last }}
            {%- endfor %}
    )

    select
        {{ kept | join(', ') }},
        found_on,
        cast(count(*) as bigint) as n_rows
    from candidates
    where n_key_rows > 1
    group by {{ kept | join(', ') }}, found_on
{%- endmacro %}

{% macro revisions(table, repeated_rows) -%}
    {%- set identity = raw_identity(table) -%}
    {%- set version = identity.key + identity.revision_order -%}
    {%- set columns = raw_contract(table).columns.keys() | list if execute else ['*'] -%}
    {%- set is_repeated -%}
        exists (
            select 1
            from {{ repeated_rows }} as repeated
            where {% for column in identity.key -%}
            known.{{ column }} = repeated.{{ column }}{{ ' and ' if not loop.last }}
            {%- endfor %}
        )
    {%- endset %}
    with known as {{ read_anew() }} (
        select *
        from ({{ raw(table) }}) as delivered
        where {{ known_as_of() }} and {{ in_days_to_build(table, recorded_on(), 'recorded_at') }}
    )

    select known.*
    from known
    where not {{ is_repeated }}
    union all
    select {{ columns | join(', ') }}
    from (
        select
            known.*,
            -- Ordered by all columns: of two that contradict each other, always the same one.
            row_number() over (
                partition by {{ version | join(', ') }}
                order by {{ columns | join(', ') if execute else 1 }}
            ) as copy_number
        from known
        where {{ is_repeated }}
    ) as ranked
    where copy_number = 1
{%- endmacro %}

{% macro last_recorded(table, revisions, repeated_rows) -%}
    {%- set key = raw_identity(table).key -%}
    {%- set is_same_key -%}
        {% for column in key -%}
        revisions.{{ column }} = repeated.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    select revisions.*
    from {{ revisions }} as revisions
    left join (
        select
            {{ key | join(', ') }},
            max(recorded_at) as last_recorded_at
        from {{ repeated_rows }}
        group by {{ key | join(', ') }}
    ) as repeated on {{ is_same_key }}
    where coalesce(revisions.recorded_at = repeated.last_recorded_at, true)
{%- endmacro %}

{% macro differing_columns(columns) -%}
    concat_ws(
        ', ',
        {% for column in columns -%}
        case
            when count(distinct {{ column }}) > 1
                or count({{ column }}) between 1 and count(*) - 1
                then '{{ column }}'
        end{{ ',' if not loop.last }}
        {% endfor %}
    )
{%- endmacro %}
