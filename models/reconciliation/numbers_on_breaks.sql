-- Which numbers rest on rows that do not agree. How: the seed numbers_of_checks.
with breaks as (
    select * from {{ ref('reconciliation_checks') }}
    where status = 'break'
),

numbers_of_checks as (
    select * from {{ ref('numbers_of_checks') }}
),

metrics as (
    select distinct
        metric_id,
        anchor,
        denominator
    from {{ ref('metrics') }}
    union all
    -- The mart exclusions has no metric of its own.
    select
        'exclusions' as metric_id,
        'decided_at' as anchor,
        'exclusions' as denominator
),

-- An audit speaks for the day of its decision. Where that is not known, for its own.
days_of_audits as (
    select distinct
        differing.check_name,
        differing.happened_on,
        coalesce(audits.decided_on, differing.happened_on) as decided_on
    from {{ ref('reconciliation_rows') }} as differing
    inner join {{ ref('fct_audits') }} as audits on differing.row_id = audits.audit_id
    where differing.table_name = 'audits' and not differing.is_explained
),

touched as (
    select
        breaks.check_name,
        breaks.reason_code,
        metrics.metric_id,
        coalesce(
            case resting.dimension_name
                when 'compared' then breaks.dimension_value
                else resting.dimension_name
            end, 'all'
        ) as dimension_name,
        coalesce(
            case resting.dimension_value
                -- What the source gives no value has another name in each mart: all values then.
                when 'compared' then nullif(breaks.dimension_value, 'none')
                else resting.dimension_value
            end, 'all'
        ) as dimension_value,
        coalesce(audited.decided_on, breaks.period_starts_on, date '1900-01-01') as first_day,
        coalesce(audited.decided_on, breaks.period_ends_on, date '9999-12-31') as last_day
    from breaks
    inner join numbers_of_checks as resting
        on
            breaks.check_name = resting.check_name
            and breaks.check_key like resting.comparison
    inner join metrics on resting.numbers in (metrics.anchor, metrics.denominator)
    left join days_of_audits as audited
        on
            breaks.check_name = audited.check_name
            and breaks.period_starts_on = audited.happened_on
            and metrics.anchor = 'decided_at'
)

select distinct
    check_name,
    reason_code,
    metric_id,
    dimension_name,
    dimension_value,
    first_day,
    last_day
from touched
