with audits as (
    select *
    from {{ ref('fct_audits') }}
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

labelled as (
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

estimates as (
    {{ stratified_shares(
        'labelled', 'labelled', 'design', 'month_starts_on',
        ['decided_policy_id', 'true_policy_id']) }}
),

totals as (
    select
        month_starts_on,
        decided_policy_id,
        {{ exact_sum('weighted_numerator') }} as weighted_decisions
    from estimates
    group by month_starts_on, decided_policy_id
),

true_totals as (
    select
        month_starts_on,
        true_policy_id,
        {{ exact_sum('weighted_numerator') }} as weighted_decisions
    from estimates
    group by month_starts_on, true_policy_id
),

placed as (
    select
        estimates.*,
        population.period_ends_on as month_ends_on,
        {{ coverage_rate('population') }} as coverage_rate,
        population.misframed_rate,
        population.unjudged_rate
    from estimates
    inner join population on estimates.month_starts_on = population.period_starts_on
),

judged as (
    select
        *,
        {{ thin_sample_reason() }} as reason_code
    from placed
)

select
    judged.month_starts_on,
    judged.decided_policy_id,
    judged.true_policy_id,
    judged.month_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.decided_policy_id = judged.true_policy_id as is_same,
    judged.n_successes as n_audits,
    judged.n_audits as n_audits_of_month,
    judged.coverage_rate,
    judged.weighted_numerator as weighted_decisions,
    judged.estimate as share_of_decisions,
    judged.standard_error,
    judged.standard_error_reason,
    judged.ci_low,
    judged.ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    judged.effective_n,
    judged.weighted_numerator / nullif(totals.weighted_decisions, 0) as share_of_decided,
    judged.weighted_numerator / nullif(true_totals.weighted_decisions, 0) as share_of_true
from judged
inner join totals
    on
        judged.month_starts_on = totals.month_starts_on
        and judged.decided_policy_id = totals.decided_policy_id
inner join true_totals
    on
        judged.month_starts_on = true_totals.month_starts_on
        and judged.true_policy_id = true_totals.true_policy_id
