with decisions as (
    select *
    from {{ ref('int_people__decisions_by_day') }}
    where moderator_key is not null and n_decisions > 0
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

periods as (
    select * from {{ ref('int_people__periods') }}
),

estimates as (
    select * from {{ ref('int_people__estimates') }}
),

people as (
    select * from {{ ref('dim_people') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as as_of_date
    from {{ ref('int_context__as_of') }}
),

workload as (
    select
        periods.period_type,
        periods.period_starts_on,
        periods.period_ends_on,
        decisions.moderator_key,
        sum(decisions.n_decisions) as n_eligible_decisions,
        sum(case when strata.is_covered then decisions.n_decisions else 0 end)
            as n_covered_decisions,
        max(case when strata.is_covered and strata.is_derived then 1 else 0 end) = 1
            as has_derived_frame
    from decisions
    inner join periods on decisions.decided_on = periods.calendar_date
    left join strata on decisions.stratum_key = strata.stratum_key
    group by
        periods.period_type,
        periods.period_starts_on,
        periods.period_ends_on,
        decisions.moderator_key
),

drawn as (
    {{ empirical_bayes(
        'estimates', by=['period_type', 'period_starts_on'], key='moderator_key') }}
),

drawn_standardised as (
    {{ empirical_bayes(
        'estimates', by=['period_type', 'period_starts_on'], key='moderator_key',
        p='estimate_less_mix_effect') }}
),

together as (
    select
        workload.period_type,
        workload.period_starts_on,
        workload.period_ends_on,
        workload.moderator_key,
        workload.n_eligible_decisions,
        workload.n_covered_decisions,
        workload.has_derived_frame,
        1 as n_people,
        coalesce(estimates.n_audits, 0) as n,
        coalesce(estimates.n_audits, 0) as n_group_audits,
        coalesce(estimates.n_audits, 0) as n_base_audits,
        workload.n_covered_decisions / cast(nullif(workload.n_eligible_decisions, 0) as double)
            as coverage_rate,
        coalesce(estimates.n_correct, 0) as n_correct,
        coalesce(estimates.n_technical_audits, 0) as n_technical_audits,
        estimates.n_strata,
        estimates.n_collapsed_strata,
        estimates.estimate,
        estimates.standard_error,
        estimates.standard_error_reason,
        estimates.ci_low,
        estimates.ci_high,
        estimates.effective_n,
        estimates.design_effect,
        estimates.overall_estimate,
        estimates.expected_estimate,
        estimates.mix_effect,
        case
            when estimates.estimate_less_mix_effect is not null
                then least(greatest(estimates.estimate_less_mix_effect, 0), 1)
        end as standardised_estimate,
        estimates.target_accuracy_at_decision,
        estimates.target_coverage_rate,
        drawn.n_peers,
        drawn.peer_mean,
        drawn.between_variance,
        drawn.own_weight,
        drawn.eb_estimate,
        drawn.eb_standard_error,
        (estimates.target_accuracy_at_decision - drawn.eb_estimate)
        / nullif(drawn.eb_standard_error, 0) as distance_to_target,
        drawn_standardised.peer_mean as peer_mean_standardised,
        drawn_standardised.eb_estimate as eb_standardised_estimate,
        drawn_standardised.eb_standard_error as eb_standardised_standard_error,
        {{ days_between(
            'people.hired_on',
            'case when workload.period_ends_on < as_of.as_of_date then workload.period_ends_on '
            ~ 'else as_of.as_of_date end'
        ) }} as tenure_days,
        drawn.moderator_key is null as has_no_peers
    from workload
    cross join as_of
    left join estimates
        on
            workload.period_type = estimates.period_type
            and workload.period_starts_on = estimates.period_starts_on
            and workload.moderator_key = estimates.moderator_key
    left join drawn
        on
            workload.period_type = drawn.period_type
            and workload.period_starts_on = drawn.period_starts_on
            and workload.moderator_key = drawn.moderator_key
    left join drawn_standardised
        on
            workload.period_type = drawn_standardised.period_type
            and workload.period_starts_on = drawn_standardised.period_starts_on
            and workload.moderator_key = drawn_standardised.moderator_key
    left join people on workload.moderator_key = people.person_key
),

published as (
    {{ publish_rate(
        'together',
        [
            'period_type', 'period_starts_on', 'moderator_key', 'period_ends_on',
            'has_derived_frame', 'tenure_days',
            'n_eligible_decisions', 'n_covered_decisions', 'n_correct', 'n_technical_audits',
            'n_strata', 'n_collapsed_strata', 'n_peers', 'design_effect', 'peer_mean',
            'between_variance', 'own_weight', 'eb_estimate', 'eb_standard_error',
            'target_accuracy_at_decision', 'target_coverage_rate', 'distance_to_target',
            'overall_estimate', 'expected_estimate', 'mix_effect', 'standardised_estimate',
            'eb_standardised_estimate', 'eb_standardised_standard_error',
            'peer_mean_standardised',
        ],
        asked=['n_group_audits', 'n_base_audits', 'has_no_peers'],
    ) }}
),

judged as (
    select
        *,
        coalesce(
            reason_code is null and effective_n >= {{ var('min_effective_n_to_rank') }}, false
        ) as is_ranked
    from published
),

-- Ranked like with like: by what is left once the mix of queues is taken out.
ranked as (
    select
        *,
        case
            when is_ranked
                then rank() over (
                    partition by period_type, period_starts_on, is_ranked
                    order by eb_standardised_estimate desc
                )
        end as accuracy_rank,
        sum(case when is_ranked then 1 else 0 end)
            over (partition by period_type, period_starts_on) as n_ranked
    from judged
)

select
    'moderator_accuracy' as metric_id,
    cast(1 as bigint) as metric_version,
    period_type,
    period_starts_on,
    moderator_key,
    period_ends_on,
    {{ tenure_band('tenure_days') }} as tenure_band,
    {{ weighting(has_unweighted=false) }} as weighting,
    is_reportable,
    reason_code,
    is_ranked,
    n_people,
    cast(tenure_days as bigint) as tenure_days,
    cast(n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(n_covered_decisions as bigint) as n_covered_decisions,
    n,
    cast(n_correct as bigint) as n_correct,
    cast(n_technical_audits as bigint) as n_technical_audits,
    n_strata,
    n_collapsed_strata,
    n_peers,
    coverage_rate,
    estimate,
    standard_error,
    standard_error_reason,
    ci_low,
    ci_high,
    confidence_level,
    effective_n,
    design_effect,
    peer_mean,
    between_variance,
    own_weight,
    eb_estimate,
    eb_standard_error,
    {{ normal_bound('eb_estimate', 'eb_standard_error', 'low') }} as eb_ci_low,
    {{ normal_bound('eb_estimate', 'eb_standard_error', 'high') }} as eb_ci_high,
    target_accuracy_at_decision,
    target_coverage_rate,
    {{ normal_cdf('distance_to_target') }} as probability_below_target,
    overall_estimate,
    expected_estimate,
    mix_effect,
    standardised_estimate,
    eb_standardised_estimate,
    eb_standardised_standard_error,
    {{ normal_bound('eb_standardised_estimate', 'eb_standardised_standard_error', 'low') }}
        as eb_standardised_ci_low,
    {{ normal_bound('eb_standardised_estimate', 'eb_standardised_standard_error', 'high') }}
        as eb_standardised_ci_high,
    peer_mean_standardised,
    cast(accuracy_rank as bigint) as accuracy_rank,
    cast(n_ranked as bigint) as n_ranked
from ranked
