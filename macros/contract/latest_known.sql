{% macro known_as_of(recorded_at='recorded_at') -%}
    {%- if var('as_of') -%}
    {{ recorded_at }} <= cast('{{ var("as_of") }}' as timestamp)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{% macro latest_known(table) -%}
    {%- if execute -%}
        {%- set meta = raw_contract(table).config.meta -%}
        {%- set key = meta.key -%}
        {%- set order = meta.revision_order -%}
    {%- else -%}
        {%- set key, order = ['1'], ['1'] -%}
    {%- endif -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by {{ order | join(' desc, ') }} desc
            ) as revision_rank
        from ({{ raw(table) }}) as delivered
        where {{ known_as_of() }}
    ) as ranked
    where revision_rank = 1
{%- endmacro %}
