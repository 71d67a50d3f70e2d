with delivered as (
    {{ latest_known('roster') }}
)

select
    {{ pseudonym("nullif(person_id, '')") }} as person_key,
    role,
    nullif(site, '') as site,
    nullif(vendor, '') as vendor,
    nullif(team_id, '') as team_id,
    nullif(language, '') as language,
    hired_on,
    valid_from,
    valid_to,
    source_system,
    recorded_at
from delivered
