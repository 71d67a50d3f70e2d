{{ built_by_days(none, none) }}

-- The last of what is built by days, so that nothing is vouched for that was not built.
-- depends_on: {{ ref('accuracy_decisions_by_day') }}
with raw_days as (
    select * from {{ ref('int_deliveries__raw_days') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
)

select
    raw_days.table_name,
    raw_days.recorded_on,
    raw_days.n_rows,
    raw_days.n_rows - raw_days.n_loaded_rows as n_new_rows,
    as_of.as_of,
    {{ signed_definitions() }} as definitions
from raw_days
cross join as_of
where raw_days.is_pending and {{ is_whole_build() }}
