with delivered as (
    {{ latest_known('shift_hours') }}
)

select
    {{ pseudonym("nullif(person_id, '')") }} as person_key,
    work_date,
    paid_seconds,
    productive_seconds,
    wellness_seconds,
    source_system,
    recorded_at
from delivered
