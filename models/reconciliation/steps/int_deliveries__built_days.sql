{{ built_by_days(none, 'calendar_date') }}

-- After all that is built by periods, so that nothing is vouched for that was not built.
-- depends_on: {{ ref('accuracy_estimates') }}
-- depends_on: {{ ref('int_agreement__coefficients') }}
-- depends_on: {{ ref('policy_cells') }}
with changed_days as (
    select * from {{ ref('int_deliveries__changed_days') }}
)

select
    relation_name,
    calendar_date,
    n_day_rows,
    sum_of_hashes,
    xor_of_hashes
from changed_days
where
    n_day_rows > 0
    -- All relations of a day that differs in one were taken out.
    and calendar_date in (select calendar_date from changed_days where is_changed)
    and {{ is_whole_build() }}
