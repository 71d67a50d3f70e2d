with delivered as (
    {{ latest_known('roster') }}
)

select
    {{ pseudonym("nullif(person_id, '')") }} as person_key,
    role,
    site,
    vendor,
    team_id,
    language,
    hired_on,
    valid_from,
    valid_to,
    source_system,
    recorded_at
from delivered
