{#- A model that is built by days, in one line: what it takes out before it adds, and by which column.
    A set of days is the name of a raw table (the days of recording of which rows were delivered) or
    decided (the days of decisions). -#}
{% macro built_by_days(day_set, column) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        partition_by=column if target.type == 'spark' else none,
        pre_hook="{{ drop_days_to_build('" ~ day_set ~ "', '" ~ column ~ "') }}" if day_set else []
    ) }}
{%- endmacro %}

{% macro days_to_build(day_set) -%}
    {%- if day_set == 'decided' -%}
        {%- set select_days -%}
            select built_on from {{ ref('int_deliveries__days_to_build') }}
        {%- endset -%}
    {%- else -%}
        {%- set raw_days = ref('int_deliveries__raw_days') -%}
        {%- if execute -%}
            {%- do refuse_vanished_rows(raw_days) -%}
        {%- endif -%}
        {%- set select_days -%}
            select recorded_on as built_on from {{ raw_days }}
            where is_pending and table_name = '{{ day_set }}'
        {%- endset -%}
    {%- endif -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set days = run_query(
        'select cast(built_on as string) from (' ~ select_days ~ ') as days order by 1') -%}
    {{ return(days.columns[0].values() | list) }}
{%- endmacro %}

{% macro in_days_to_build(day_set, column, moment=none) -%}
    {#- Called while parsing too, when its ref() makes the lineage. -#}
    {%- set days = days_to_build(day_set) if not (execute and is_full_build()) -%}
    {%- if is_full_build() -%}
    true
    {%- elif not days -%}
    false
    {%- else -%}
    {{ column }} in (date '{{ days | join("', date '") }}')
        {#- The same as bounds, by which whole files are passed over. A null is of the first day. -#}
        {%- if moment and days[0] != '1970-01-01' %}
        and {{ moment }} >= timestamp '{{ days[0] }} 00:00:00'
        and {{ moment }} <= timestamp '{{ days[-1] }} 23:59:59.999999'
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro in_range_of(column, keys) -%}
    {#- Ids mostly grow with time. Where they do, a range written out passes over what is old. -#}
    {%- if is_full_build() -%}
    true
    {%- else -%}
        {#- By the last part of a qualified name. -#}
        {%- set key = column.split('.')[-1] -%}
        {%- set found = run_query(
            'select min(' ~ key ~ '), max(' ~ key ~ '), count(*) - count(' ~ key ~ ') '
            ~ 'from (' ~ keys ~ ') as keys')[0] -%}
        {%- if found[2] > 0 -%}
    true
        {%- elif found[0] is none -%}
    false
        {%- else -%}
    {{ column }} between '{{ found[0] | replace("'", "''") }}' and '{{ found[1] | replace("'", "''") }}'
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro drop_days_to_build(day_set, column) -%}
    {%- if execute and not is_full_build() and load_relation(this) -%}
        {%- set days = days_to_build(day_set) -%}
        {%- if days -%}
            {{ drop_days(this, column, days) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_vanished_rows(raw_days) -%}
    {%- set found = run_query(
        'select table_name, cast(recorded_on as string), n_loaded_rows, n_rows, count(*) over () '
        ~ 'from ' ~ raw_days ~ ' where n_rows < n_loaded_rows order by 1, 2 limit 5') -%}
    {%- if found | length -%}
        {%- set rows = [] -%}
        {%- for row in found -%}
            {%- do rows.append('- ' ~ row[0] ~ ', recorded on ' ~ row[1] ~ ': ' ~ row[2]
                ~ ' rows when it was last built, ' ~ row[3] ~ ' now') -%}
        {%- endfor -%}
        {{ exceptions.raise_compiler_error(
            'Raw rows have vanished on ' ~ found[0][4] ~ ' days of delivery. Raw tables are only '
            ~ 'added to, so nothing was built on top.\n' ~ rows | join('\n') ~ '\nBring the rows '
            ~ 'back, or, if they are gone for good or raw_path now has other data, say dbt build '
            ~ '--full-refresh.') }}
    {%- endif -%}
{%- endmacro %}

{% macro built_so_far(name, columns) -%}
    {#- The model of that name as the last finished build left it; empty where all is built anew. By
        name: a ref would close a circle, as it is written when all else is built. -#}
    {%- if not is_full_build() -%}
    {{ relation_named(name) }}
    {%- else -%}
    (
        select
            {% for column, data_type in columns.items() -%}
            cast(null as {{ data_type }}) as {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        where false
    ) as nothing
    {%- endif -%}
{%- endmacro %}

{% macro touches_day(begins_at, ends_at, day='all_days.calendar_date') -%}
    {#- A day more on both sides: periods are in UTC, days are those of the reporting calendar. -#}
    {{ day }} >= {{ add_days('cast(' ~ begins_at ~ ' as date)', -1) }}
    and cast({{ add_days(day, -1) }} as timestamp) <= {{ ends_at }}
{%- endmacro %}

{% macro changed_periods(table, begins_at='valid_from', ends_at='valid_to') -%}
    {#- When what the table says may differ from what it said: from the end of the shortest to the
        end of the longest period where only the end of a known row was moved, else the whole. -#}
    {%- set key = raw_identity(table).key -%}
    {%- set columns = raw_contract(table).columns.keys() | list if execute else [begins_at] -%}
    select
        case
            when count(distinct attributes) = 1 and not min(is_new) then min(period_ends_at)
            else min(period_begins_at)
        end as begins_at,
        max(period_ends_at) as ends_at
    from (
        select
            {% for column in key -%}
            delivered.{{ column }},
            {% endfor -%}
            delivered.{{ begins_at }} as period_begins_at,
            coalesce(delivered.{{ ends_at }}, timestamp '9999-12-31 00:00:00') as period_ends_at,
            raw_days.is_pending as is_new,
            concat_ws(
                '|',
                {% for column in columns if column not in (ends_at, 'recorded_at') -%}
                coalesce(cast(delivered.{{ column }} as string), 'null'){{ ',' if not loop.last }}
                {% endfor %}
            ) as attributes
        from ({{ raw(table) }}) as delivered
        inner join {{ ref('int_deliveries__raw_days') }} as raw_days
            on
                raw_days.table_name = '{{ table }}'
                and {{ recorded_on('delivered.recorded_at') }} = raw_days.recorded_on
        where {{ known_as_of('delivered.recorded_at') }}
    ) as rows_of_table
    group by {{ key | join(', ') }}
    having max(is_new)
{%- endmacro %}
