{% macro count_rows_by_fate(table) -%}
    {%- set kept = ref('stg_' ~ table) -%}
    {%- set identity = raw_identity(table) -%}
    {%- set key, order = identity.key, identity.revision_order -%}
    select
        '{{ table }}' as table_name,
        coalesce(sum(n_rows), 0) as n_delivered,
        coalesce(sum(n_later), 0) as n_recorded_after_as_of,
        coalesce(sum(n_rows) - sum(n_later) - sum(n_known_revisions), 0) as n_exact_duplicates,
        coalesce(sum(n_known_revisions), 0) - count(case when n_known_revisions > 0 then 1 end)
            as n_superseded_by_correction,
        (select count(*) from {{ kept }}) as n_kept
    from (
        select
            {{ key | join(', ') }},
            sum(n_rows) as n_rows,
            sum(case when is_known then 0 else n_rows end) as n_later,
            sum(case when is_known then 1 else 0 end) as n_known_revisions
        from (
            select
                {{ key | join(', ') }},
                {{ order | join(', ') }},
                {{ known_as_of() }} as is_known,
                count(*) as n_rows
            from ({{ raw(table) }}) as delivered
            group by all
        ) as revisions
        group by {{ key | join(', ') }}
    ) as keys
{%- endmacro %}

{% macro count_revisions_by_fate(table, repeated_rows, kept) -%}
    {%- set key = raw_identity(table).key | join(', ') -%}
    select
        '{{ table }}' as table_name,
        coalesce(max(raw_days.n_delivered), 0) as n_delivered,
        coalesce(max(raw_days.n_later), 0) as n_recorded_after_as_of,
        max(repeated.n_copies) as n_exact_duplicates,
        max(repeated.n_superseded) as n_superseded_by_correction,
        {{ kept }} as n_kept
    from (
        select
            sum(n_rows) as n_delivered,
            sum(n_rows - n_known_rows) as n_later
        from {{ ref('int_deliveries__raw_days') }}
        where table_name = '{{ table }}'
    ) as raw_days
    cross join (
        select
            coalesce(sum(n_rows - n_revisions), 0) as n_copies,
            coalesce(sum(n_revisions - 1), 0) as n_superseded
        from (
            select
                sum(n_rows) as n_rows,
                count(*) as n_revisions
            from (
                {#- Found again on another day, a revision has more rows than it had before. -#}
                select {{ key }}, recorded_at, max(n_rows) as n_rows
                from {{ repeated_rows }}
                group by {{ key }}, recorded_at
            ) as revisions
            group by {{ key }}
        ) as keys
    ) as repeated
{%- endmacro %}
