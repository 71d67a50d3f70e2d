{% set group = suppressed_group_keys() -%}
{% set dimension = group[:4] -%}
{% set asked = dimension + ['head_of', 'candidate'] -%}
{% set pairs = [] -%}
{% for name in suppressed_dimensions() -%}
{% do pairs.append([name, 'all', "'all'"]) -%}
{% endfor -%}

with people as (
    select * from {{ ref('int_people__at_work_in_shares') }}
    where period_type = 'part_of_month'
),

withheld as (
    select * from {{ ref('int_people__suppressed_teams') }}
    where period_type in ('quarter', 'part_of_month')
),

in_groups as (
    select distinct
        {{ group | join(', ') }},
        part,
        head_of,
        person_key
    from (
        {{ people_in_containers('people', pairs) }}
    ) as all_groups
),

months_of_scopes as (
    select distinct
        basis,
        scope_starts_on,
        cast(part as date) as month_starts_on
    from {{ ref('int_people__at_work_in_shares') }}
    where period_type = 'quarter'
),

withheld_in_months as (
    select distinct
        withheld.basis,
        months_of_scopes.month_starts_on as scope_starts_on,
        withheld.dimension_name,
        withheld.dimension_value
    from withheld
    inner join months_of_scopes
        on
            withheld.basis = months_of_scopes.basis
            and withheld.scope_starts_on = months_of_scopes.scope_starts_on
    where withheld.period_type = 'quarter'
),

-- Dimensions of which some weeks are withheld in a month in which those of everybody are shown.
dimensions_apart as (
    select distinct
        withheld.basis,
        withheld.scope_starts_on,
        withheld.dimension_name
    from withheld
    left join withheld as of_everybody
        on
            {{ without_by_auditor('withheld.basis') }} = of_everybody.basis
            and withheld.period_type = of_everybody.period_type
            and withheld.scope_starts_on = of_everybody.scope_starts_on
            and of_everybody.dimension_name = 'overall'
    where withheld.period_type = 'part_of_month' and of_everybody.basis is null
),

-- What no month shows is one row.
rows_of_months as (
    select
        {% for key in dimension + ['part', 'head_of', 'person_key'] -%}
        in_groups.{{ key }},
        {% endfor -%}
        case
            when withheld_in_months.dimension_value is null
                then concat('shown ', in_groups.dimension_value)
            else 'withheld'
        end as row_name,
        withheld.dimension_value is not null or withheld_in_months.dimension_value is not null
            as is_withheld
    from in_groups
    inner join dimensions_apart
        on {{ same_keys('in_groups', 'dimensions_apart', [
            'basis', 'scope_starts_on', 'dimension_name',
        ]) }}
    left join withheld on {{ same_keys('in_groups', 'withheld', group) }}
    left join withheld_in_months
        on {{ same_keys('in_groups', 'withheld_in_months', [
            'basis', 'scope_starts_on', 'dimension_name', 'dimension_value',
        ]) }}
),

candidates as (
    select
        *,
        'some' as candidate
    from rows_of_months
    where is_withheld
    union all
    select
        *,
        'all' as candidate
    from rows_of_months
),

-- Each person in one row, so that the people of different rows are different.
places as (
    select
        {{ asked | join(', ') }},
        person_key,
        row_name,
        row_number() over (
            partition by {{ asked | join(', ') }}, person_key
            order by count(distinct part) desc, row_name asc
        ) as place
    from candidates
    where person_key is not null
    group by {{ asked | join(', ') }}, person_key, row_name
),

cells as (
    select
        {% for key in asked + ['row_name', 'part'] -%}
        candidates.{{ key }},
        {% endfor -%}
        count(distinct places.person_key) as n_people
    from candidates
    left join places
        on
            {{ same_keys('candidates', 'places', asked + ['row_name', 'person_key']) }}
            and places.place = 1
    where {{ computed_once() }}
    group by candidates.{{ (asked + ['row_name', 'part']) | join(', candidates.') }}
),

hubs as (
    select
        {{ asked | join(', ') }},
        part,
        row_number() over (
            partition by {{ asked | join(', ') }} order by sum(n_people) desc, part asc
        ) as place
    from cells
    group by {{ asked | join(', ') }}, part
),

hub_cells as (
    select cells.*
    from cells
    inner join hubs on {{ same_keys('cells', 'hubs', asked + ['part']) }} and hubs.place = 1
),

-- So many people must be taken out before nothing joins a part to the hub.
joints as (
    select
        {% for key in asked + ['part'] -%}
        cells.{{ key }},
        {% endfor -%}
        sum(least(cells.n_people, coalesce(hub_cells.n_people, 0))) as n_people
    from cells
    left join hub_cells on {{ same_keys('cells', 'hub_cells', asked + ['row_name']) }}
    group by cells.{{ (asked + ['part']) | join(', cells.') }}
),

told as (
    select distinct
        {{ dimension | join(', ') }},
        candidate
    from joints
    where n_people < {{ var('min_people') }}
)

-- Where months tell anyway, nobody's weeks are shown of that basis.
select distinct in_groups.{{ group | join(', in_groups.') }}
from in_groups
inner join told
    on
        in_groups.period_type = told.period_type
        and in_groups.scope_starts_on = told.scope_starts_on
        and {{ without_by_auditor('in_groups.basis') }} = {{ without_by_auditor('told.basis') }}
where
    told.candidate = 'all'
    or (in_groups.basis = told.basis and in_groups.dimension_name = told.dimension_name)
