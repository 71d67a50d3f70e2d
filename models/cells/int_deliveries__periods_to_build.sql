with changed as (
    select distinct calendar_date
    from {{ ref('int_deliveries__changed_days') }}
    where is_changed
)

select {{ period_start('changed.calendar_date') }} as built_on
from changed
cross join (values ('day'), ('week'), ('month')) as period_types (period_type)
union
select four_weeks_start_on as built_on
from ({{ in_four_weeks('changed', week_start('calendar_date')) }}) as weeks
