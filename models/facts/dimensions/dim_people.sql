with roster as (
    select * from {{ ref('stg_roster') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

begun as (
    select
        roster.*,
        (roster.valid_to is null or roster.valid_to > as_of.as_of) as has_not_ended
    from roster
    cross join as_of
    where roster.valid_from <= as_of.as_of
),

latest as (
    select
        *,
        row_number() over (partition by person_key order by valid_from desc) as period_rank
    from begun
)

select
    person_key,
    role as role_current,
    site as site_current,
    vendor as vendor_current,
    team_id as team_id_current,
    language as language_current,
    hired_on,
    has_not_ended as is_on_roster,
    source_system,
    recorded_at
from latest
where period_rank = 1
