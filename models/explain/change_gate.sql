with change as (
    select * from {{ ref('accuracy_change') }}
),

cells as (
    select * from {{ ref('accuracy_cells') }}
    where dimension_name = 'overall'
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

daily as (
    select
        period_starts_on as decided_on,
        n_eligible_decisions as n_decisions
    from {{ ref('accuracy_population') }}
    where period_type = 'day' and dimension_name = 'overall'
),

comparisons as (
    select distinct
        comparison_id,
        period_type,
        period_starts_on,
        period_ends_on,
        earlier_starts_on,
        earlier_ends_on
    from change
),

sides as (
    select
        comparison_id,
        'earlier' as side,
        period_type,
        earlier_starts_on as starts_on,
        earlier_ends_on as ends_on
    from comparisons
    union all
    select
        comparison_id,
        'later' as side,
        period_type,
        period_starts_on as starts_on,
        period_ends_on as ends_on
    from comparisons
),

placed as (
    select
        sides.comparison_id,
        sides.side,
        cells.dimension_name,
        cells.stratum_key,
        cells.exclusion_reason,
        cells.n_decisions,
        cells.n_audits
    from sides
    inner join cells
        on sides.period_type = cells.period_type and sides.starts_on = cells.period_starts_on
),

checked as (
    {{ change_checks('sides', 'placed', 'daily', 'design', 'change') }}
)

select
    comparisons.comparison_id,
    checked.gate_check,
    comparisons.period_type,
    comparisons.period_starts_on,
    comparisons.period_ends_on,
    comparisons.earlier_starts_on,
    comparisons.earlier_ends_on,
    checked.gate_status,
    checked.value_earlier,
    checked.value_later,
    checked.threshold
from checked
inner join comparisons on checked.comparison_id = comparisons.comparison_id
