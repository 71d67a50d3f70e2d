{% macro known_as_of(recorded_at='recorded_at') -%}
    {#- True for a row that the layer may know at as_of. Without as_of every row is known. -#}
    {%- if var('as_of') -%}
    {{ recorded_at }} <= cast('{{ var("as_of") }}' as timestamp)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{% macro latest_known(table) -%}
    {#- A select of one raw table as known at as_of: the last row of each business key, by the key
        and the revision order that models/sources declares. Exact duplicates leave one row. Rows
        that are not kept are counted by reason in the model rows_accounted_for. -#}
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
