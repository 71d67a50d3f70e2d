with drivers as (
    select * from {{ ref('int_monitoring__drivers') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

-- Of further rounds only what they found.
listed as (
    select
        drivers.*,
        episodes.window_starts_on,
        episodes.window_ends_on
    from drivers
    inner join episodes on drivers.comparison_id = episodes.episode_id
    where drivers.driver_rank <= 5 and (drivers.driver_round = 1 or drivers.is_driver)
),

people as (
    select
        listed.comparison_id,
        listed.driver_round,
        listed.driver_rank,
        count(distinct slices.moderator_key) as n_people
    from listed
    inner join slices
        on
            {{ same_keys('listed', 'slices', ['dimension_name', 'dimension_value']) }}
            and slices.decided_on between listed.window_starts_on and listed.window_ends_on
    group by listed.comparison_id, listed.driver_round, listed.driver_rank
)

select
    listed.comparison_id as alert_id,
    listed.driver_round,
    listed.driver_rank,
    listed.dimension_name,
    listed.dimension_value,
    listed.is_driver,
    -- Rounded, and no counts: beside those of the alarm they would give away who is in only one.
    round(case when listed.is_driver then listed.explained_share end, 2) as explained_share,
    round(listed.ratio, 1) as ratio,
    round(listed.z, 1) as z,
    round(listed.q_value, 2) as q_value,
    round(listed.share_of_evidence, 2) as share_of_evidence
from listed
inner join people
    on {{ same_keys('listed', 'people', ['comparison_id', 'driver_round', 'driver_rank']) }}
where people.n_people = 0 or people.n_people >= {{ var('min_people') }}
