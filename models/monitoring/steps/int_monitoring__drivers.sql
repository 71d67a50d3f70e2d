-- Each alarm that no other explains, beside the days before it.
with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

explained as (
    select * from {{ ref('int_monitoring__explained') }}
),

daily as (
    select * from {{ ref('slice_days') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

comparisons as (
    select
        episodes.episode_id as comparison_id,
        episodes.direction,
        {{ add_days('episodes.window_starts_on', -var('scan_baseline_days')) }} as base_from,
        {{ add_days('episodes.window_starts_on', -1) }} as base_to,
        episodes.window_starts_on as window_from,
        episodes.window_ends_on as window_to
    from episodes
    inner join explained on episodes.episode_id = explained.episode_id
    where explained.explained_by is null
),

{{ ranked_drivers() }}

select *
from drivers
