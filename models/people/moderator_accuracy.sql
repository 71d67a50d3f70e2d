{% set keys = ['period_type', 'period_starts_on', 'moderator_key'] %}
{% set asked = ['n_group_audits', 'n_base_audits', 'misframed_share', 'has_no_peers'] %}
{% set measured = [
    'n_strata', 'n_collapsed_strata', 'estimate', 'standard_error', 'standard_error_reason', 'ci_low',
    'ci_high', 'effective_n', 'design_effect', 'overall_estimate', 'expected_estimate', 'mix_effect',
    'target_accuracy_at_decision', 'target_coverage_rate', 'misframed_share',
] %}
{% set shrunk = [
    'n_peers', 'peer_mean', 'between_variance', 'own_weight', 'eb_estimate', 'eb_standard_error',
] -%}

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
        workload.*,
        'moderator_accuracy' as metric_id,
        cast(1 as bigint) as metric_version,
        1 as n_people,
        {% for name in ['n', 'n_group_audits', 'n_base_audits'] -%}
        coalesce(estimates.n_audits, 0) as {{ name }},
        {% endfor -%}
        workload.n_covered_decisions / cast(nullif(workload.n_eligible_decisions, 0) as double)
            as coverage_rate,
        coalesce(estimates.n_correct, 0) as n_correct,
        coalesce(estimates.n_technical_audits, 0) as n_technical_audits,
        {% for name in measured -%}
        estimates.{{ name }},
        {% endfor -%}
        case
            when estimates.estimate_less_mix_effect is not null
                then least(greatest(estimates.estimate_less_mix_effect, 0), 1)
        end as standardised_estimate,
        {% for name in shrunk -%}
        drawn.{{ name }},
        {% endfor -%}
        (estimates.target_accuracy_at_decision - drawn.eb_estimate)
        / nullif(drawn.eb_standard_error, 0) as distance_to_target,
        drawn_standardised.peer_mean as peer_mean_standardised,
        drawn_standardised.eb_estimate as eb_standardised_estimate,
        drawn_standardised.eb_standard_error as eb_standardised_standard_error,
        cast({{ days_between(
            'people.hired_on',
            'case when workload.period_ends_on < as_of.as_of_date then workload.period_ends_on '
            ~ 'else as_of.as_of_date end'
        ) }} as bigint) as tenure_days,
        drawn.moderator_key is null as has_no_peers
    from workload
    cross join as_of
    {% for relation in ['estimates', 'drawn', 'drawn_standardised'] -%}
    left join {{ relation }} on {{ same_keys('workload', relation, keys) }}
    {% endfor -%}
    left join people on workload.moderator_key = people.person_key
),

judged as (
    select
        *,
        {{ tenure_band('tenure_days') }} as tenure_band,
        {% for name in ['eb', 'eb_standardised'] -%}
        {% for side in ['low', 'high'] -%}
        {{ normal_bound(name ~ '_estimate', name ~ '_standard_error', side) }}
            as {{ name }}_ci_{{ side }},
        {% endfor -%}
        {% endfor -%}
        {{ normal_cdf('distance_to_target') }} as probability_below_target,
        coalesce(
            ({{ reason_code(asked) }}) is null
            and effective_n >= {{ var('min_effective_n_to_rank') }},
            false
        ) as is_ranked
    from together
),

-- Ranked like with like: by what is left once the mix of queues is taken out.
ranked as (
    select
        *,
        case
            when is_ranked
                then cast(rank() over (
                    partition by period_type, period_starts_on, is_ranked
                    order by eb_standardised_estimate desc
                ) as bigint)
        end as accuracy_rank,
        sum(case when is_ranked then 1 else 0 end)
            over (partition by period_type, period_starts_on) as n_ranked
    from judged
)

{{ publish_rate(
    'ranked',
    ['metric_id', 'metric_version'] + keys + [
        'period_ends_on', 'tenure_band', 'tenure_days', 'is_ranked', 'n_eligible_decisions',
        'n_covered_decisions', 'n_correct', 'n_technical_audits', 'n_strata',
        'n_collapsed_strata', 'design_effect', 'eb_ci_low', 'eb_ci_high',
        'probability_below_target', 'target_accuracy_at_decision', 'target_coverage_rate',
        'overall_estimate', 'expected_estimate', 'mix_effect', 'standardised_estimate',
        'eb_standardised_estimate', 'eb_standardised_standard_error', 'eb_standardised_ci_low',
        'eb_standardised_ci_high', 'peer_mean_standardised', 'accuracy_rank', 'n_ranked',
    ] + shrunk,
    asked,
    weighted='only',
) }}
