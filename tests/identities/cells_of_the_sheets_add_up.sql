-- What scripts/transparency.py asks before it writes, of every period: categories and their parts,
-- kinds of complaint, what machines did alone in sheets 8, 5 and 6. Not of what is not mapped.
{% set period = 'period_type, period_starts_on' -%}

with cells as (
    select * from {{ ref('dsa_cells') }}
    where cell_value is not null and unit = 'count'
),

unmapped as (
    select distinct
        {{ period }},
        sheet
    from {{ ref('dsa_cells') }}
    where reason_code in ('category_not_mapped', 'ground_not_stated')
),

sides as (
    select
        {{ period }},
        sheet,
        concat('categories: ', indicator) as sum_name,
        sum(case when category = 'TOTAL' then cell_value else 0 end) as left_value,
        sum(case when category <> 'TOTAL' and keyword = '' then cell_value else 0 end)
            as right_value
    from cells
    where sheet in (3, 4, 5, 6)
    group by {{ period }}, sheet, indicator
    union all
    select
        {{ period }},
        sheet,
        concat('sub-categories: ', category, ' ', indicator) as sum_name,
        sum(case when keyword = '' then cell_value else 0 end) as left_value,
        sum(case when keyword <> '' then cell_value else 0 end) as right_value
    from cells
    where
        sheet in (3, 4, 5, 6)
        and category <> 'TOTAL' and category not like '%NOT_SPECIFIED%'
    group by {{ period }}, sheet, category, indicator
    union all
    select
        {{ period }},
        sheet,
        concat('kinds: ', indicator) as sum_name,
        sum(case when scope = 'internal' then cell_value else 0 end) as left_value,
        sum(case when scope <> 'internal' then cell_value else 0 end) as right_value
    from cells
    where sheet = 7 and scope in ('internal', 'visibility', 'service', 'account', 'monetary')
    group by {{ period }}, sheet, indicator
    union all
    select
        {{ period }},
        sheet,
        concat('outcomes: ', scope) as sum_name,
        sum(case when indicator = 'n_complaints' then cell_value else 0 end) as left_value,
        sum(
            case when indicator not in ('n_complaints', 'n_not_notified') then cell_value else 0 end
        ) as right_value
    from cells
    where sheet = 7 and scope <> 'newly_restricted'
    group by {{ period }}, sheet, scope
    union all
    select
        {{ period }},
        8 as sheet,
        'own initiative' as sum_name,
        sum(case when sheet = 8 then cell_value else 0 end) as left_value,
        sum(case when sheet <> 8 then cell_value else 0 end) as right_value
    from cells
    where
        (sheet = 8 and scope = 'own_initiative' and indicator = 'n_automated')
        or (sheet in (5, 6) and category = 'TOTAL' and indicator = 'n_automated')
    group by {{ period }}
)

select sides.*
from sides
left join unmapped
    on
        sides.period_type = unmapped.period_type
        and sides.period_starts_on = unmapped.period_starts_on
        and sides.sheet = unmapped.sheet
where unmapped.sheet is null and sides.left_value is distinct from sides.right_value
