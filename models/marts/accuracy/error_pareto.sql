{% set groups = {
    'policy': 'policy_concerned',
    'policy_parent': 'policy_parent_concerned',
    'queue': "coalesce(queue_id, 'unknown')",
    'reason': 'reason',
    'queue_and_reason': "concat(coalesce(queue_id, 'unknown'), ' | ', reason)",
    'policy_and_reason': "concat(policy_concerned, ' | ', reason)",
} -%}

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
        end as reason
    from in_period
    left join policies
        on
            in_period.policy_concerned = policies.policy_id
            and {{ valid_at('policies', 'in_period.decided_at') }}
    where in_period.error_class <> 'correct'
),

strata as (
    select
        month_starts_on,
        stratum_key,
        count(*) as n_audits
    from in_period
    group by month_starts_on, stratum_key
),

grouped as (
    {% for name, value in groups.items() -%}
    select
        month_starts_on,
        '{{ name }}' as group_name,
        {{ value }} as group_value,
        stratum_key,
        count(*) as n_successes
    from errors
    group by month_starts_on, {{ value }}, stratum_key
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

named as (
    select distinct
        month_starts_on,
        group_name,
        group_value
    from grouped
),

cells as (
    select
        named.month_starts_on,
        named.group_name,
        named.group_value,
        strata.stratum_key,
        strata.n_audits,
        coalesce(grouped.n_successes, 0) as n_successes
    from named
    inner join strata on named.month_starts_on = strata.month_starts_on
    left join grouped
        on
            named.month_starts_on = grouped.month_starts_on
            and named.group_name = grouped.group_name
            and named.group_value = grouped.group_value
            and strata.stratum_key = grouped.stratum_key
),

estimates as (
    {{ stratified_rate('cells', 'design', by=['month_starts_on', 'group_name', 'group_value']) }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by month_starts_on, group_name
            order by weighted_numerator desc, group_value asc
        ) as error_rank
    from estimates
),

-- Not a running sum, whose last digit would hang on its order.
cumulated as (
    select
        ranked.month_starts_on,
        ranked.group_name,
        ranked.group_value,
        {{ exact_sum('above.weighted_numerator') }} as errors_so_far
    from ranked
    inner join ranked as above
        on
            ranked.month_starts_on = above.month_starts_on
            and ranked.group_name = above.group_name
            and ranked.error_rank >= above.error_rank
    group by ranked.month_starts_on, ranked.group_name, ranked.group_value
),

totalled as (
    select
        *,
        max(errors_so_far) over (partition by month_starts_on, group_name) as all_errors
    from cumulated
)

select
    ranked.month_starts_on,
    ranked.group_name,
    ranked.group_value,
    cast(ranked.error_rank as bigint) as error_rank,
    ranked.n_successes as n_errors,
    ranked.n_audits as n_audits_of_month,
    ranked.weighted_numerator as estimated_errors,
    ranked.ci_low * ranked.weighted_denominator as estimated_errors_low,
    ranked.ci_high * ranked.weighted_denominator as estimated_errors_high,
    ranked.estimate as share_of_decisions,
    ranked.standard_error,
    ranked.ci_low,
    ranked.ci_high,
    ranked.weighted_numerator / nullif(totalled.all_errors, 0) as share_of_errors,
    totalled.errors_so_far / nullif(totalled.all_errors, 0) as cumulative_share_of_errors
from ranked
inner join totalled
    on
        ranked.month_starts_on = totalled.month_starts_on
        and ranked.group_name = totalled.group_name
        and ranked.group_value = totalled.group_value
