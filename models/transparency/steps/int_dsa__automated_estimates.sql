{% set by = ['period_type', 'period_starts_on', 'scope'] -%}
{% set population_sums = [
    'n_eligible_decisions', 'n_pending_decisions', 'n_covered_decisions',
    'n_eligible_enforced_decisions', 'n_pending_enforced_decisions',
    'n_covered_enforced_decisions',
] -%}

with audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted and decided_by_type = 'automation'
),

decisions as (
    select
        decision_id,
        item_id,
        decided_at
    from {{ ref('fct_decisions') }}
    where decision_id in (select audits.decision_id from audits)
),

notices as (
    select
        item_id,
        min(received_at) as received_at,
        min(case when request_kind = 'notice' then received_at end) as notified_at,
        min(case when is_trusted then received_at end) as flagged_at
    from {{ ref('int_dsa__requests') }}
    group by item_id
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where
        mart = 'accuracy_rates' and metric_version = 1
        and metric_id in ('accuracy', 'false_discovery_rate', 'false_negative_rate')
),

population as (
    select * from {{ ref('accuracy_population') }}
    where
        period_type = 'month' and dimension_name = 'decided_by'
        and dimension_value = 'automation'
),

with_scopes as (
    select
        audits.*,
        {{ dsa_language('audits.language') }} as of_language,
        coalesce(notices.received_at <= decisions.decided_at, false) as is_requested,
        coalesce(notices.notified_at <= decisions.decided_at, false) as is_notified,
        coalesce(notices.flagged_at <= decisions.decided_at, false) as is_flagged
    from audits
    inner join decisions on audits.decision_id = decisions.decision_id
    left join notices on decisions.item_id = notices.item_id
    where {{ is_in_dsa_territory('audits.region') }}
),

in_periods as (
    {{ by_dsa_period('with_scopes', 'decided_on') }}
),

scoped as (
    select
        in_periods.*,
        coalesce(scopes.scope, in_periods.of_language) as scope
    from in_periods
    inner join (
        values ('total'), ('own_initiative'), ('notices'), ('trusted_notices'), (null)
    ) as scopes (scope)
        on case scopes.scope
            when 'total' then true
            when 'own_initiative' then not in_periods.is_requested
            when 'notices' then in_periods.is_notified
            when 'trusted_notices' then in_periods.is_flagged
            else in_periods.of_language is not null
        end
),

cells as (
    select
        {{ by | join(', ') }},
        stratum_key,
        {{ sums_of(audit_measures()) }},
        {{ sums_of(audit_measure_squares(), 'decimal(38, 0)') }}
    from scoped
    group by {{ by | join(', ') }}, stratum_key
),

by_metric as (
    select
        cells.{{ by | join(', cells.') }},
        metrics.metric_id,
        cells.stratum_key,
        {{ metric_moments('metrics', 'cells') }}
    from cells
    cross join metrics
),

estimates as (
    {{ stratified_ratio('by_metric', 'design', by=by + ['metric_id']) }}
),

audited as (
    select
        {{ by | join(', ') }},
        sum(n_audits) as n_group_audits,
        sum(n_enforced) as n_enforced_audits
    from cells
    group by {{ by | join(', ') }}
),

population_in_periods as (
    {{ by_dsa_period('population', 'period_starts_on') | replace(
        'rows_of.*', 'rows_of.' ~ (population_sums + ['misframed_rate', 'unjudged_rate'])
        | join(', rows_of.')) }}
),

covered as (
    select
        period_type,
        period_starts_on,
        {% for name in ['misframed_rate', 'unjudged_rate'] -%}
        sum({{ name }} * (n_eligible_decisions - n_pending_decisions))
        / nullif(sum(n_eligible_decisions - n_pending_decisions), 0) as {{ name }},
        {% endfor -%}
        {{ sums_of(dict(zip(population_sums, population_sums))) }}
    from population_in_periods
    group by period_type, period_starts_on
),

measured as (
    select
        audited.*,
        metrics.metric_id,
        coalesce(estimates.n_audits, 0) as n,
        estimates.n_audits as unweighted_n,
        estimates.n_base_audits,
        estimates.share_in_sight,
        case
            when metrics.metric_id = 'false_discovery_rate'
                then {{ coverage_rate('covered', 'enforced_') }}
            else {{ coverage_rate('covered') }}
        end as coverage_rate,
        covered.misframed_rate,
        covered.unjudged_rate,
        metrics.metric_id = 'false_negative_rate'
        and audited.n_enforced_audits in (0, audited.n_group_audits) as has_unaudited_kind,
        audited.n_enforced_audits > 0 as has_enforced_audits,
        estimates.effective_n,
        estimates.estimate as found,
        estimates.ci_low as found_low,
        estimates.ci_high as found_high,
        estimates.standard_error,
        estimates.standard_error_reason
    from audited
    cross join metrics
    left join estimates
        on
            {{ same_keys('audited', 'estimates', by) }}
            and metrics.metric_id = estimates.metric_id
    left join covered on {{ same_keys('audited', 'covered', by[:2]) }}
),

-- Precision and recall are what is left of the rates of their errors.
turned as (
    select
        *,
        case metric_id
            when 'accuracy' then 'accuracy'
            when 'false_discovery_rate' then 'precision'
            else 'recall'
        end as indicator,
        case
            when has_unaudited_kind then null
            when metric_id = 'accuracy' then found
            else 1 - found
        end as estimate,
        case
            when has_unaudited_kind then null
            when metric_id = 'accuracy' then found_low
            else 1 - found_high
        end as ci_low,
        case
            when has_unaudited_kind then null
            when metric_id = 'accuracy' then found_high
            else 1 - found_low
        end as ci_high
    from measured
)

{{ publish_rate(
    'turned', by + ['indicator', 'has_enforced_audits'],
    asked=[
        'n_group_audits', 'has_unaudited_kind', 'unweighted_n', 'n_base_audits', 'misframed_rate',
        'unjudged_rate',
    ],
    without=['n_people']
) }}
