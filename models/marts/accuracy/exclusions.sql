{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set of_people = "'" ~ roster_dimensions() | join("', '") ~ "'" -%}

with cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where exclusion_reason is not null
),

reasons as (
    select * from {{ ref('exclusion_reasons') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

counted as (
    select
        cells.period_type,
        cells.period_starts_on,
        cells.dimension_name,
        cells.dimension_value,
        cells.period_ends_on,
        reasons.applies_to,
        reasons.reason_code,
        case
            when reasons.applies_to = 'decision' then sum(cells.n_decisions)
            else sum(cells.n_audits)
        end as n_excluded
    from cells
    inner join reasons on cells.exclusion_reason = reasons.reason_code
    where
        cells.period_type <> 'day'
        or cells.dimension_name not in ({{ of_people }})
    group by
        cells.period_type,
        cells.period_starts_on,
        cells.dimension_name,
        cells.dimension_value,
        cells.period_ends_on,
        reasons.applies_to,
        reasons.reason_code
),

groups_of_people as (
    select distinct
        period_type,
        period_starts_on,
        period_ends_on,
        dimension_name,
        dimension_value
    from counted
    where dimension_name in ({{ of_people }})
),

head_counts as (
    {{ head_counts('groups_of_people', 'roster') }}
)

select
    counted.period_type,
    counted.period_starts_on,
    counted.dimension_name,
    counted.dimension_value,
    counted.applies_to,
    counted.reason_code,
    counted.period_ends_on,
    head_counts.few_people_code as withheld_reason,
    cast(case when head_counts.few_people_code is null then counted.n_excluded end as bigint)
        as n_excluded
from counted
left join head_counts on {{ same_keys('counted', 'head_counts', group) }}
