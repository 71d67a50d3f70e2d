{{ built_by_days(none, 'calendar_date') }}

-- After all that is built by periods, so that nothing is vouched for that was not built.
-- depends_on: {{ ref('accuracy_estimates') }}
-- depends_on: {{ ref('int_agreement__coefficients') }}
-- depends_on: {{ ref('policy_cells') }}
with days as (
    select
        *,
        max(case when is_changed then 1 else 0 end) over (partition by calendar_date) = 1
            as is_forgotten
    from {{ ref('int_deliveries__changed_days') }}
)

select
    relation_name,
    calendar_date,
    n_day_rows,
    sum_of_hashes,
    xor_of_hashes
from days
where is_forgotten and n_day_rows > 0 and {{ is_whole_build() }}
