{% set group = suppressed_group_keys() -%}
with people as {{ read_anew() }} (
    select * from {{ ref('int_people__at_work') }}
),

-- Of which dimensions days have rates.
daily as (
    select distinct
        dimension_name,
        cast(period_starts_on as string) as part
    from {{ ref('accuracy_population') }}
    where period_type = 'day' and has_rates
),

in_containers as (
    select of_all.*
    from (
        {{ people_in_containers('people', containers_of_groups()) }}
    ) as of_all
    left join daily on {{ same_keys('of_all', 'daily', ['dimension_name', 'part']) }}
    where of_all.period_type <> 'day' or daily.part is not null
),

few as (
    select distinct {{ group | join(', ') }}
    from (
        select {{ group | join(', ') }}
        from in_containers
        where container_name = 'all'
        group by {{ group | join(', ') }}, part, head_of
        having {{ few_people_in_a_part() }}
    ) as parts_of_few
),

withheld_first as (
    select * from few
    union distinct
    {{ teams_with_few_elsewhere('people') }}
    union distinct
    select * from (
        {{ complementary_groups('in_containers', 'few') }}
    ) as with_another
)

select
    withheld_first.*,
    few.dimension_value is not null as is_of_few
from withheld_first
left join few on {{ same_keys('withheld_first', 'few', group) }}
