-- What a source says of its own rows, beside what the layer counts of them.
{% set dimensions = {
    'total': "cast(null as string)",
    'queue_id': 'queue_id', 'policy_id': 'policy_id', 'action_code': 'action_code',
    'decided_by_type': 'decided_by_type',
} -%}
{% set events = {
    'review_jobs': ('stg_review_jobs', 'enqueued_at'),
    'audits': ('fct_audits', 'audited_at'),
    'disputes': ('stg_disputes', 'filed_at'),
    'appeals': ('stg_appeals', 'filed_at'),
    'statements_of_reasons': ('stg_statements_of_reasons', 'submitted_at'),
} -%}

with reported as (
    select
        *,
        -- Sources call their columns by the contract's names, or by short ones.
        case dimension_name
            when 'queue' then 'queue_id'
            when 'policy' then 'policy_id'
            when 'primary_policy_id' then 'policy_id'
            when 'action' then 'action_code'
            when 'decided_by' then 'decided_by_type'
            else coalesce(dimension_name, 'total')
        end as counted_by
    from {{ ref('stg_control_totals') }}
),

decisions as {{ read_anew() }} (
    select * from {{ ref('fct_decisions') }}
),

asked as (
    select distinct
        table_name,
        counted_by
    from reported
),

counted as (
    {% for name, column in dimensions.items() -%}
    select
        'decisions' as table_name,
        '{{ name }}' as counted_by,
        decided_on as happened_on,
        {{ column }} as dimension_value,
        cast(count(*) as double) as row_count,
        cast(count(distinct item_id) as double) as distinct_items,
        {{ exact_sum('coalesce(handling_seconds, 0)', bits=20) }} as sum_handling_seconds,
        count(distinct moderator_key) as n_people
    from decisions
    where
        exists (
            select 1
            from asked
            where asked.table_name = 'decisions' and asked.counted_by = '{{ name }}'
        )
    group by decided_on, {{ column }}
    union all
    {% endfor -%}
    {% for table, (model, moment) in events.items() -%}
    select
        '{{ table }}' as table_name,
        'total' as counted_by,
        {{ reporting_date(moment) }} as happened_on,
        cast(null as string) as dimension_value,
        cast(count(*) as double) as row_count,
        cast(null as double) as distinct_items,
        cast(null as double) as sum_handling_seconds,
        cast(0 as bigint) as n_people
    from {{ ref(model) }}
    where
        exists (
            select 1 from asked
            where asked.table_name = '{{ table }}'
        )
    group by {{ reporting_date(moment) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

known as (
    select distinct
        table_name,
        counted_by
    from counted
),

compared as (
    select
        reported.source_system,
        reported.table_name,
        reported.business_date as happened_on,
        reported.measure,
        reported.counted_by,
        reported.dimension_value,
        reported.value as left_value,
        case
            -- What the layer does not count in this way is not known; of what it does, no row is 0.
            when known.table_name is null then null
            when reported.measure = 'row_count' then coalesce(counted.row_count, 0)
            when reported.table_name <> 'decisions' then null
            when reported.measure = 'distinct_items' then coalesce(counted.distinct_items, 0)
            when reported.measure = 'sum_handling_seconds'
                then coalesce(counted.sum_handling_seconds, 0)
        end as right_value,
        coalesce(counted.n_people, 0) as n_people
    from reported
    left join known
        on
            reported.table_name = known.table_name
            and reported.counted_by = known.counted_by
    left join counted
        on
            reported.table_name = counted.table_name
            and reported.counted_by = counted.counted_by
            and reported.business_date = counted.happened_on
            and reported.dimension_value is not distinct from counted.dimension_value
),

measured as (
    select
        *,
        left_value - right_value as difference,
        abs(left_value - right_value) > 1e-6 * greatest(1, abs(left_value)) as is_different
    from compared
),

-- A day that begins at another hour moves rows: many days differ, and their sum does not.
series as (
    select
        source_system,
        table_name,
        measure,
        counted_by,
        dimension_value,
        sum(case when is_different then 1 else 0 end) as n_different,
        sum(difference) as sum_difference,
        max(abs(difference)) as largest_difference
    from measured
    group by source_system, table_name, measure, counted_by, dimension_value
),

-- A distinct count has no parts that add up.
summed_parts as (
    select
        source_system,
        table_name,
        business_date,
        measure,
        counted_by,
        sum(value) as summed
    from reported
    where counted_by <> 'total' and (measure like 'sum%' or measure = 'row_count')
    group by source_system, table_name, business_date, measure, counted_by
)

select
    'control_totals' as check_name,
    measured.source_system as left_source,
    measured.table_name as right_source,
    measured.happened_on,
    measured.measure,
    measured.counted_by as dimension_name,
    case
        when measured.counted_by = 'total' then 'all'
        else coalesce(measured.dimension_value, 'none')
    end as dimension_value,
    measured.left_value,
    measured.right_value,
    cast(0 as double) as explained_difference,
    case
        when measured.right_value is null then 'measure_not_counted'
        when
            series.n_different > 2
            and measured.measure = 'row_count'
            and abs(series.sum_difference) <= series.largest_difference
            then 'day_edge'
        when measured.left_value > 0 and measured.right_value = 0 then 'day_missing'
        when measured.difference > 0 then 'rows_missing'
        else 'rows_not_reported'
    end as reason_code,
    -- Sums that the layer makes in another order than the source.
    1e-6 * greatest(1, abs(measured.left_value)) as tolerance,
    -- How long somebody took is their own; so is what a few people did, but for counts.
    measured.measure not in ('row_count', 'distinct_items')
    and (measured.counted_by <> 'total' or measured.n_people < {{ var('min_people') }})
        as is_withheld
from measured
inner join series
    on
        measured.source_system = series.source_system
        and measured.table_name = series.table_name
        and measured.measure = series.measure
        and measured.counted_by = series.counted_by
        and measured.dimension_value is not distinct from series.dimension_value
union all
-- The source's parts beside its own total.
select
    'control_parts_to_total' as check_name,
    totals.source_system as left_source,
    totals.table_name as right_source,
    totals.business_date as happened_on,
    totals.measure,
    'parts' as dimension_name,
    parts.counted_by as dimension_value,
    totals.value as left_value,
    parts.summed as right_value,
    cast(0 as double) as explained_difference,
    'in_no_part' as reason_code,
    1e-6 * greatest(1, abs(totals.value)) as tolerance,
    totals.measure <> 'row_count' as is_withheld
from reported as totals
inner join summed_parts as parts
    on
        totals.source_system = parts.source_system
        and totals.table_name = parts.table_name
        and totals.business_date = parts.business_date
        and totals.measure = parts.measure
        and totals.counted_by = 'total'
