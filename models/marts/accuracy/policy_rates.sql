{% set measures = [
    'n_decided', 'n_true', 'n_confirmed', 'n_not_confirmed', 'n_missed', 'n_not_true',
] -%}

with cells as (
    select * from {{ ref('policy_cells') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'policy_rates'
),

policies as (
    select * from {{ ref('dim_policies') }}
),

population as (
    select * from {{ ref('accuracy_population') }}
    where dimension_name = 'overall'
),

-- Of the decisions under a policy, whatever its version; the parent's are its children's too.
of_policies as (
    select
        *,
        row_number() over (
            partition by period_type, period_starts_on, dimension_value
            order by dimension_name desc
        ) as preference
    from {{ ref('accuracy_population') }}
    where dimension_name in ('policy', 'policy_parent')
),

counted as (
    select
        metrics.metric_id,
        metrics.metric_version,
        cells.period_type,
        cells.period_starts_on,
        cells.policy_id,
        cells.policy_version,
        cells.stratum_key,
        cells.n_audits as n_group_audits,
        cells.n_decided,
        metrics.denominator,
        {% for term, name in {'numerator': 'n_successes', 'denominator': 'n_audits'}.items() -%}
        case metrics.{{ term }}
            {% for measure in measures -%}
            when '{{ measure }}' then cells.{{ measure }}
            {% endfor -%}
        end as {{ name }},
        {% endfor -%}
        metrics.denominator <> 'n_decided' as is_of_the_truth
    from cells
    cross join metrics
),

by_metric as (
    select
        *,
        n_audits as n,
        n_successes as kept,
        n_audits - n_successes as lost,
        case when is_of_the_truth then n_group_audits else n_audits end as n_base,
        -- What was decided under a policy is none of its misses, and the other way round.
        case when denominator = 'n_true' then n_decided else n_group_audits - n_decided end
            as n_cannot_err,
        case when is_of_the_truth then 'truth' else 'share' end as interval_kind
    from counted
),

estimates as (
    {{ stratified_ratio(
        'by_metric', 'design',
        by=[
            'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'policy_id',
            'policy_version',
        ],
        kinds=['share', 'truth']) }}
),

unweighted as (
    select
        metric_id,
        metric_version,
        period_type,
        period_starts_on,
        policy_id,
        policy_version,
        sum(n_group_audits) as n_group_audits,
        sum(n_audits) as n_audits,
        sum(n_successes) as n_successes
    from by_metric
    group by
        metric_id, metric_version, period_type, period_starts_on, policy_id, policy_version
),

rates as (
    select
        unweighted.metric_id,
        unweighted.metric_version,
        unweighted.period_type,
        unweighted.period_starts_on,
        unweighted.policy_id,
        unweighted.policy_version,
        population.period_ends_on,
        population.n_eligible_decisions,
        population.n_covered_decisions,
        population.n_pending_decisions,
        case
            when metrics.denominator = 'n_decided' and of_policies.dimension_value is not null
                then {{ coverage_rate('of_policies') }}
            else {{ coverage_rate('population') }}
        end as coverage_rate,
        population.has_derived_frame,
        population.misframed_rate,
        population.unjudged_rate,
        metrics.denominator <> 'n_decided'
        and {{ has_unaudited_kind('population') }} as has_unaudited_kind,
        false as is_told_by_dimension,
        unweighted.n_group_audits,
        unweighted.n_audits as unweighted_n,
        unweighted.n_successes / cast(nullif(unweighted.n_audits, 0) as double)
            as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n_audits,
        estimates.n_base_audits,
        estimates.share_in_sight,
        coalesce(estimates.n_successes, 0) as n_successes,
        estimates.n_collapsed_strata,
        estimates.weighted_numerator,
        estimates.weighted_denominator,
        estimates.estimate,
        estimates.standard_error,
        estimates.standard_error_reason,
        estimates.design_effect,
        estimates.effective_n,
        estimates.ci_low,
        estimates.ci_high
    from unweighted
    inner join metrics
        on
            unweighted.metric_id = metrics.metric_id
            and unweighted.metric_version = metrics.metric_version
    inner join population
        on
            unweighted.period_type = population.period_type
            and unweighted.period_starts_on = population.period_starts_on
    left join of_policies
        on
            unweighted.period_type = of_policies.period_type
            and unweighted.period_starts_on = of_policies.period_starts_on
            and unweighted.policy_id = of_policies.dimension_value
            and of_policies.preference = 1
    left join estimates
        on
            unweighted.metric_id = estimates.metric_id
            and unweighted.metric_version = estimates.metric_version
            and unweighted.period_type = estimates.period_type
            and unweighted.period_starts_on = estimates.period_starts_on
            and unweighted.policy_id = estimates.policy_id
            and unweighted.policy_version = estimates.policy_version
),

judged as (
    select
        *,
        {{ withheld_reason() }} as reason_code
    from rates
)

select
    judged.metric_id,
    judged.metric_version,
    judged.period_type,
    judged.period_starts_on,
    judged.policy_id,
    judged.policy_version,
    judged.period_ends_on,
    case
        when judged.policy_id in ('no_violation', 'no_policy') then judged.policy_id
        when policies.is_leaf then 'leaf'
        when not policies.is_leaf then 'parent'
        else 'unknown'
    end as policy_level,
    case
        when judged.n_audits > 0 and judged.has_derived_frame then 'derived_frame'
        when judged.n_audits > 0 then 'weighted'
        when judged.unweighted_n > 0 and not judged.has_unaudited_kind then 'unweighted'
        else 'none'
    end as weighting,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    coalesce(judged.n_collapsed_strata > 0, false) as has_collapsed_strata,
    judged.n_audits,
    judged.n_base_audits,
    judged.n_successes,
    judged.n_eligible_decisions,
    judged.n_covered_decisions,
    judged.n_pending_decisions,
    judged.coverage_rate,
    {% for name in [
        'estimate', 'standard_error', 'standard_error_reason', 'ci_low', 'ci_high', 'effective_n',
        'share_in_sight', 'design_effect', 'weighted_numerator',
    ] -%}
    case when not judged.has_unaudited_kind then judged.{{ name }} end as {{ name }},
    {% endfor -%}
    cast({{ var('confidence_level') }} as double) as confidence_level,
    judged.weighted_denominator,
    cast(judged.unweighted_n as bigint) as unweighted_n,
    case when not judged.has_unaudited_kind then judged.unweighted_rate end as unweighted_rate
from judged
left join policies on judged.policy_id = policies.policy_id
