{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set of_people = "'" ~ roster_dimensions() | join("', '") ~ "'" -%}

with cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where exclusion_reason is not null and period_type <> 'four_weeks'
),

reasons as (
    select * from {{ ref('reasons') }}
    where applies_to in ('decision', 'audit')
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where
        basis = 'accuracy'
        and dimension_name in ({{ of_people }})
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

-- Of a reason that only one of the suppressed groups has, a total would tell how often.
alone as (
    select
        counted.period_type,
        counted.period_starts_on,
        counted.dimension_name,
        counted.reason_code
    from counted
    inner join suppressed on {{ same_keys('counted', 'suppressed', group) }}
    group by
        counted.period_type,
        counted.period_starts_on,
        counted.dimension_name,
        counted.reason_code
    having count(*) = 1
),

judged as (
    select
        counted.*,
        coalesce(
            suppressed.suppression_code,
            case when alone.reason_code is not null then 'suppressed_complementary' end
        ) as withheld_reason
    from counted
    left join suppressed on {{ same_keys('counted', 'suppressed', group) }}
    left join alone on {{ same_keys('counted', 'alone', group[:3] + ['reason_code']) }}
)

select
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    applies_to,
    reason_code,
    period_ends_on,
    withheld_reason,
    cast(case when withheld_reason is null then n_excluded end as bigint) as n_excluded
from judged
