{#- By what errors are grouped. Each way is there alone, and by reason. -#}
{% set groups = {
    'overall': "'all'",
    'policy': 'policy_concerned',
    'policy_parent': 'policy_parent_concerned',
    'queue': "coalesce(queue_id, 'unknown')",
} -%}
{% set keys = ['group_name', 'group_value', 'reason'] -%}

with audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

policies as (
    select * from {{ ref('stg_policies') }}
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

population as (
    select * from {{ ref('accuracy_population') }}
    where period_type = 'month' and dimension_name = 'overall'
),

in_period as (
    select
        audits.*,
        calendar.month_starts_on,
        -- A missed violation is charged to the policy that it missed.
        case
            when audits.error_class = 'false_negative'
                then coalesce(audits.truth_policy_id, 'no_policy')
            else coalesce(audits.decided_policy_id, 'no_policy')
        end as policy_concerned
    from audits
    inner join calendar on audits.decided_on = calendar.calendar_date
),

errors as (
    select
        in_period.*,
        coalesce(policies.parent_policy_id, in_period.policy_concerned) as policy_parent_concerned,
        case
            when in_period.error_class = 'wrong_selection'
                then concat(
                    'wrong_selection, ',
                    in_period.selection_distance,
                    ', ',
                    coalesce(in_period.selection_strictness, 'unknown')
                )
            else in_period.error_class
        end as error_reason
    from in_period
    left join policies
        on
            in_period.policy_concerned = policies.policy_id
            and {{ valid_at('policies', 'in_period.decided_at') }}
    where in_period.error_class <> 'correct'
),

grouped as (
    {% for name, value in groups.items() -%}
    {% for reason in (["'all'"] if name != 'overall' else []) + ['error_reason'] -%}
    select
        month_starts_on,
        stratum_key,
        '{{ name }}' as group_name,
        {{ value }} as group_value,
        {{ reason }} as reason
    from errors
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {{- 'union all' if not loop.last }}
    {% endfor %}
),

estimates as (
    {{ stratified_shares('grouped', 'in_period', 'design', 'month_starts_on', keys) }}
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

ranked as (
    select
        *,
        reason <> 'all' as is_by_reason,
        {{ thin_sample_reason() }} as reason_code,
        row_number() over (
            partition by month_starts_on, group_name, reason = 'all'
            order by weighted_numerator desc, group_value asc, reason asc
        ) as error_rank
    from placed
),

-- Not a running sum, whose last digit would hang on its order.
cumulated as (
    select
        ranked.month_starts_on,
        ranked.group_name,
        ranked.is_by_reason,
        ranked.error_rank,
        {{ exact_sum('above.weighted_numerator') }} as errors_so_far
    from ranked
    inner join ranked as above
        on
            ranked.month_starts_on = above.month_starts_on
            and ranked.group_name = above.group_name
            and ranked.is_by_reason = above.is_by_reason
            and ranked.error_rank >= above.error_rank
    group by
        ranked.month_starts_on, ranked.group_name, ranked.is_by_reason, ranked.error_rank
),

totalled as (
    select
        *,
        max(errors_so_far) over (partition by month_starts_on, group_name, is_by_reason)
            as all_errors
    from cumulated
),

main_reasons as (
    select
        month_starts_on,
        group_name,
        group_value,
        reason as main_reason,
        row_number() over (
            partition by month_starts_on, group_name, group_value order by error_rank
        ) as reason_rank
    from ranked
    where is_by_reason
)

select
    ranked.month_starts_on,
    ranked.group_name,
    ranked.group_value,
    ranked.reason,
    ranked.month_ends_on,
    ranked.reason_code is null as is_reportable,
    ranked.reason_code,
    cast(ranked.error_rank as bigint) as error_rank,
    case when ranked.is_by_reason then ranked.reason else main_reasons.main_reason end
        as main_reason,
    ranked.n_successes as n_errors,
    ranked.n_audits as n_audits_of_month,
    ranked.coverage_rate,
    ranked.weighted_numerator as estimated_errors,
    ranked.ci_low * ranked.weighted_denominator as estimated_errors_low,
    ranked.ci_high * ranked.weighted_denominator as estimated_errors_high,
    ranked.estimate as share_of_decisions,
    ranked.standard_error,
    ranked.standard_error_reason,
    ranked.ci_low,
    ranked.ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    ranked.effective_n,
    ranked.weighted_numerator / nullif(totalled.all_errors, 0) as share_of_errors,
    totalled.errors_so_far / nullif(totalled.all_errors, 0) as cumulative_share_of_errors
from ranked
inner join totalled
    on
        ranked.month_starts_on = totalled.month_starts_on
        and ranked.group_name = totalled.group_name
        and ranked.is_by_reason = totalled.is_by_reason
        and ranked.error_rank = totalled.error_rank
left join main_reasons
    on
        ranked.month_starts_on = main_reasons.month_starts_on
        and ranked.group_name = main_reasons.group_name
        and ranked.group_value = main_reasons.group_value
        and main_reasons.reason_rank = 1
