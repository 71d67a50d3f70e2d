{% macro known_as_of(recorded_at='recorded_at') -%}
    {%- if var('as_of') -%}
    {#- A row that does not say when it was recorded is kept, and a test of its model fails. -#}
    coalesce({{ recorded_at }} <= {{ given_as_of() }}, true)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{% macro latest_known(table) -%}
    {%- set identity = raw_identity(table) -%}
    {%- set key, order = identity.key, identity.revision_order -%}
    {#- Nearly every key has one row, and only the others need to be ranked: a window over ten
        million rows costs more memory than all the rest of a build. -#}
    {%- set is_repeated -%}
        exists (
            select 1
            from repeated
            where {% for column in key -%}
            known.{{ column }} = repeated.{{ column }}{{ ' and ' if not loop.last }}
            {%- endfor %}
        )
    {%- endset %}
    with known as (
        select *
        from ({{ raw(table) }}) as delivered
        where {{ known_as_of() }}
    ),

    repeated as (
        select {{ key | join(', ') }}
        from known
        group by {{ key | join(', ') }}
        having count(*) > 1
    )

    select known.*
    from known
    where not {{ is_repeated }}
    union all
    select {{ raw_contract(table).columns.keys() | join(', ') if execute else '*' }}
    from (
        select
            known.*,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by {{ order | join(' desc, ') }} desc
            ) as revision_rank
        from known
        where {{ is_repeated }}
    ) as ranked
    where revision_rank = 1
{%- endmacro %}
