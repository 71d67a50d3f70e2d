{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'policy_id', 'policy_version',
] -%}
{% set measures = [
    'n_decided', 'n_true', 'n_confirmed', 'n_not_confirmed', 'n_missed', 'n_not_true',
] -%}
{% set is_known = "metrics.denominator = 'n_decided' or not " ~ has_unaudited_kind('population') -%}

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

-- A policy that is withheld as what was decided is withheld here too.
suppressed as (
    select
        period_type,
        period_starts_on,
        dimension_value,
        min(suppression_code) as suppression_code
    from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy' and dimension_name in ('policy', 'policy_parent')
    group by period_type, period_starts_on, dimension_value
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
        by=keys, kinds=['share', 'truth']) }}
),

unweighted as (
    select
        {{ keys | join(', ') }},
        sum(n_group_audits) as n_group_audits,
        sum(n_audits) as n_audits,
        sum(n_successes) as n_successes
    from by_metric
    group by {{ keys | join(', ') }}
),

rates as (
    select
        {% for key in keys -%}
        unweighted.{{ key }},
        {% endfor -%}
        population.period_ends_on,
        case
            when unweighted.policy_id in ('no_violation', 'no_policy') then unweighted.policy_id
            when policies.is_leaf then 'leaf'
            when not policies.is_leaf then 'parent'
            else 'unknown'
        end as policy_level,
        suppressed.suppression_code,
        case
            when metrics.denominator = 'n_decided' then coalesce(of_policies.n_people, 0)
            else population.n_people
        end as n_people,
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
        unweighted.n_group_audits,
        cast(unweighted.n_audits as bigint) as unweighted_n,
        case
            when {{ is_known }}
                then unweighted.n_successes / cast(nullif(unweighted.n_audits, 0) as double)
        end as unweighted_rate,
        coalesce(estimates.n_audits, 0) as n,
        estimates.n_base_audits,
        estimates.share_in_sight,
        coalesce(estimates.n_successes, 0) as n_successes,
        coalesce(
            estimates.n_collapsed_strata > 0 and suppressed.suppression_code is null, false
        ) as has_collapsed_strata,
        {% for name in [
            'weighted_numerator', 'estimate', 'standard_error', 'standard_error_reason',
            'design_effect', 'effective_n', 'ci_low', 'ci_high',
        ] -%}
        case when {{ is_known }} then estimates.{{ name }} end as {{ name }},
        {% endfor -%}
        estimates.weighted_denominator
    from unweighted
    inner join metrics on {{ same_keys('unweighted', 'metrics', keys[:2]) }}
    inner join population on {{ same_keys('unweighted', 'population', keys[2:4]) }}
    left join of_policies
        on
            {{ same_keys('unweighted', 'of_policies', keys[2:4]) }}
            and unweighted.policy_id = of_policies.dimension_value
            and of_policies.preference = 1
    left join suppressed
        on
            {{ same_keys('unweighted', 'suppressed', keys[2:4]) }}
            and unweighted.policy_id = suppressed.dimension_value
    left join policies on unweighted.policy_id = policies.policy_id
    left join estimates on {{ same_keys('unweighted', 'estimates', keys) }}
)

{{ publish_rate(
    'rates',
    keys + [
        'period_ends_on', 'policy_level', 'has_collapsed_strata', 'n_eligible_decisions',
        'n_covered_decisions', 'n_pending_decisions',
    ],
    asked=[
        'suppression_code', 'n_group_audits', 'has_unaudited_kind', 'unweighted_n',
        'n_base_audits', 'misframed_rate', 'unjudged_rate',
    ],
    values=[
        'n_base_audits', 'n_successes', 'share_in_sight', 'design_effect', 'weighted_numerator',
        'weighted_denominator', 'unweighted_n', 'unweighted_rate',
    ],
    weighted='or_unweighted',
) }}
