-- The key has nulls (a total has no dimension), which macro latest_known would never match.
with ranked as (
    select
        *,
        row_number() over (
            partition by
                source_system, table_name, business_date, measure, nullif(dimension_name, ''),
                dimension_value
            order by recorded_at desc, reported_at desc, value asc
        ) as revision_rank
    from ({{ raw('control_totals') }}) as delivered
    where {{ known_as_of() }}
)

select
    source_system || '|' || table_name || '|' || cast(business_date as string) || '|' || measure
    || '|' || coalesce(dimension_name, '') || '|' || coalesce(dimension_value, '')
        as control_total_key,
    source_system,
    table_name,
    business_date,
    measure,
    nullif(dimension_name, '') as dimension_name,
    dimension_value,
    value,
    reported_at,
    recorded_at
from ranked
where revision_rank = 1
