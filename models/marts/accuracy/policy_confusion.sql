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

strata as (
    select
        month_starts_on,
        stratum_key,
        count(*) as n_audits
    from labelled
    group by month_starts_on, stratum_key
),

counted as (
    select
        month_starts_on,
        decided_policy_id,
        true_policy_id,
        stratum_key,
        count(*) as n_successes
    from labelled
    group by month_starts_on, decided_policy_id, true_policy_id, stratum_key
),

pairs as (
    select distinct
        month_starts_on,
        decided_policy_id,
        true_policy_id
    from counted
),

cells as (
    select
        pairs.month_starts_on,
        pairs.decided_policy_id,
        pairs.true_policy_id,
        strata.stratum_key,
        strata.n_audits,
        coalesce(counted.n_successes, 0) as n_successes
    from pairs
    inner join strata on pairs.month_starts_on = strata.month_starts_on
    left join counted
        on
            pairs.month_starts_on = counted.month_starts_on
            and pairs.decided_policy_id = counted.decided_policy_id
            and pairs.true_policy_id = counted.true_policy_id
            and strata.stratum_key = counted.stratum_key
),

estimates as (
    {{ stratified_rate(
        'cells', 'design', by=['month_starts_on', 'decided_policy_id', 'true_policy_id']) }}
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
)

select
    estimates.month_starts_on,
    estimates.decided_policy_id,
    estimates.true_policy_id,
    estimates.decided_policy_id = estimates.true_policy_id as is_same,
    estimates.n_successes as n_audits,
    estimates.n_audits as n_audits_of_month,
    estimates.weighted_numerator as weighted_decisions,
    estimates.estimate as share_of_decisions,
    estimates.standard_error,
    estimates.ci_low,
    estimates.ci_high,
    estimates.weighted_numerator / nullif(totals.weighted_decisions, 0) as share_of_decided,
    estimates.weighted_numerator / nullif(true_totals.weighted_decisions, 0) as share_of_true
from estimates
inner join totals
    on
        estimates.month_starts_on = totals.month_starts_on
        and estimates.decided_policy_id = totals.decided_policy_id
inner join true_totals
    on
        estimates.month_starts_on = true_totals.month_starts_on
        and estimates.true_policy_id = true_totals.true_policy_id
