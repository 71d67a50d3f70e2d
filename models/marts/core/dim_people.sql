with roster as (
    select * from {{ ref('stg_roster') }}
),

latest as (
    select
        *,
        row_number() over (partition by person_key order by valid_from desc) as period_rank
    from roster
)

select
    person_key,
    role as role_current,
    site as site_current,
    vendor as vendor_current,
    team_id as team_id_current,
    language as language_current,
    hired_on,
    valid_to is null as is_on_roster,
    source_system,
    recorded_at
from latest
where period_rank = 1
