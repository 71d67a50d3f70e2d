{% set cell = cube_cell() -%}

with people as (
    select distinct
        {% for name in ['month_starts_on', 'queue_id', 'policy_parent_id'] -%}
        {{ cell[name] }} as {{ name }},
        {% endfor -%}
        -- Who is not known may be one person.
        coalesce(moderator_key, 'unknown') as person_key
    from {{ ref('fct_audits') }}
    where is_counted and decided_by_type = 'human'
),

listed as (
    select
        period_starts_on as month_starts_on,
        dimension_name,
        dimension_value
    from {{ ref('int_people__suppressed_groups') }}
    where
        basis = 'accuracy'
        and period_type = 'month'
        and dimension_name in ('queue', 'queue_and_decider', 'policy_parent')
),

-- Of queues whose totals are suppressed, what the others leave is known: they are as one. Likewise
-- of policies.
merged as (
    select
        people.*,
        case
            when
                max(case when listed.dimension_name like 'queue%' then 1 else 0 end) = 1
                then 'withheld'
            else people.queue_id
        end as merged_queue_id,
        case
            when
                max(case when listed.dimension_name = 'policy_parent' then 1 else 0 end) = 1
                then 'withheld'
            else people.policy_parent_id
        end as merged_policy_id
    from people
    left join listed
        on
            people.month_starts_on = listed.month_starts_on
            and case listed.dimension_name
                when 'queue' then people.queue_id
                when 'queue_and_decider' then concat(people.queue_id, ' | human')
                else people.policy_parent_id
            end = listed.dimension_value
    group by
        people.month_starts_on, people.queue_id, people.policy_parent_id, people.person_key
),

sizes as (
    select
        month_starts_on,
        merged_queue_id,
        merged_policy_id,
        count(distinct person_key) as n_people
    from merged
    group by month_starts_on, merged_queue_id, merged_policy_id
),

cells as (
    select distinct
        month_starts_on,
        queue_id,
        policy_parent_id,
        merged_queue_id,
        merged_policy_id
    from merged
)

select
    cells.month_starts_on,
    cells.queue_id,
    cells.policy_parent_id,
    cells.merged_queue_id,
    cells.merged_policy_id,
    cast(sizes.n_people as bigint) as n_people
from cells
inner join sizes
    on {{ same_keys('cells', 'sizes', ['month_starts_on', 'merged_queue_id', 'merged_policy_id']) }}
