with audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted and error_class <> 'technical'
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

population as (
    select * from {{ ref('accuracy_population') }}
    where period_type = 'month' and dimension_name = 'overall'
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy' and period_type = 'month' and dimension_name = 'policy'
),

named as (
    select
        calendar.month_starts_on,
        audits.stratum_key,
        case
            when audits.has_enforced then coalesce(audits.decided_policy_id, 'no_policy')
            else 'no_violation'
        end as decided_policy_id,
        case
            when audits.is_violating then coalesce(audits.truth_policy_id, 'no_policy')
            else 'no_violation'
        end as true_policy_id
    from audits
    inner join calendar on audits.decided_on = calendar.calendar_date
),

-- What is suppressed is one policy, so that the cells still add up.
labelled as (
    select
        {% for side in ['decided', 'true'] -%}
        case
            when of_{{ side }}.dimension_value is null then named.{{ side }}_policy_id
            else 'suppressed'
        end as {{ side }}_policy_id,
        {% endfor -%}
        named.month_starts_on,
        named.stratum_key
    from named
    {% for side in ['decided', 'true'] -%}
    left join suppressed as of_{{ side }}
        on
            named.month_starts_on = of_{{ side }}.period_starts_on
            and named.{{ side }}_policy_id = of_{{ side }}.dimension_value
    {% endfor -%}
),

estimates as (
    {{ stratified_shares(
        'labelled', 'labelled', 'design', 'month_starts_on',
        ['decided_policy_id', 'true_policy_id']) }}
),

placed as (
    select
        estimates.*,
        estimates.n_audits as n,
        population.n_people,
        population.period_ends_on as month_ends_on,
        {{ coverage_rate('population') }} as coverage_rate,
        population.has_derived_frame,
        population.misframed_rate,
        population.unjudged_rate
    from estimates
    inner join population on estimates.month_starts_on = population.period_starts_on
),

published as (
    {{ publish_rate(
        'placed',
        ['month_starts_on', 'decided_policy_id', 'true_policy_id', 'month_ends_on'],
        asked=['n_base_audits', 'misframed_rate', 'unjudged_rate'],
        values=['n_successes', 'weighted_numerator'], weighted='only') }}
)

select
    month_starts_on,
    decided_policy_id,
    true_policy_id,
    month_ends_on,
    weighting,
    is_reportable,
    reason_code,
    case
        when decided_policy_id <> 'suppressed'
            then decided_policy_id = true_policy_id
    end as is_same,
    n_successes as n_audits,
    n_people,
    n,
    coverage_rate,
    weighted_numerator as weighted_decisions,
    estimate,
    standard_error,
    standard_error_reason,
    ci_low,
    ci_high,
    confidence_level,
    effective_n,
    weighted_numerator
    / nullif({{ exact_sum(
        'weighted_numerator', over='partition by month_starts_on, decided_policy_id') }}, 0)
        as share_of_decided,
    weighted_numerator
    / nullif({{ exact_sum(
        'weighted_numerator', over='partition by month_starts_on, true_policy_id') }}, 0)
        as share_of_true
from published
