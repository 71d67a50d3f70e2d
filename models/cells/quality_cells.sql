with verdicts as (
    select * from {{ ref('int_verdicts__audits') }}
),

disputes as (
    select * from {{ ref('stg_disputes') }}
),

servings as (
    select * from {{ ref('int_golden__servings') }}
),

ratings as (
    select * from {{ ref('int_agreement__ratings') }}
),

operations as (
    select * from {{ ref('int_eligibility__audit_operations') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'quality_rates'
),

{{ events_of_shares() }},

-- By sampling method, the decisions are those of the whole period.
operations_by_dimension as (
    select
        period_type,
        period_starts_on,
        period_ends_on,
        case when sampling_method = 'all' then dimension_name else 'sampling_method' end
            as dimension_name,
        case when sampling_method = 'all' then dimension_value else sampling_method end
            as dimension_value,
        n_eligible_decisions,
        n_audited_decisions,
        n_blind_known,
        n_blind
    from operations
    where sampling_method = 'all' or dimension_name = 'overall'
),

measured as (
    {% for relation, event in events_by_person().items() -%}
    {{ rate_cells(
        relation, event['day'], event['person'], event['dimensions'], event['measures']) }}
    union all
    {% endfor -%}
    {{ cells_of_metrics('operations_by_dimension', "'not_applicable'", [
        'n_eligible_decisions', 'n_audited_decisions', 'n_blind_known', 'n_blind',
    ]) }}
)

select
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    -- Who did nothing of what is asked has no row; that nobody did has one.
    case when n > 0 then coalesce(person_key, 'unknown') else 'not_applicable' end as person_key,
    period_ends_on,
    cast(sum(n_successes) as bigint) as n_successes,
    cast(sum(n) as bigint) as n
from measured
where n is not null
group by
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    case when n > 0 then coalesce(person_key, 'unknown') else 'not_applicable' end,
    period_ends_on
