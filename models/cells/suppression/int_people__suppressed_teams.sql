{% set group = suppressed_group_keys() -%}
with people as (
    select * from {{ ref('int_people__at_work_marked') }}
),

withheld_first as (
    select
        {{ group | join(',\n        ') }}
    from {{ ref('int_people__suppressed_first') }}
),

in_leftovers as (
    {{ people_in_containers('people', containers_of_teams()) }}
),

withheld_next as (
    select * from withheld_first
    union distinct
    select * from (
        {{ complementary_groups('in_leftovers', 'withheld_first') }}
    ) as with_another
)

select * from withheld_next
