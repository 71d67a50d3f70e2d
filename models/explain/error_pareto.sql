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

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy' and period_type = 'month'
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

every_way as (
    select
        errors.month_starts_on,
        errors.stratum_key,
        ways.group_name,
        case ways.group_name
            {% for name, value in groups.items() -%}
            when '{{ name }}' then {{ value }}
            {% endfor -%}
        end as group_value,
        case when ways.is_by_reason then errors.error_reason else 'all' end as reason
    from errors
    cross join (
        values
        {% for name in groups if name != 'overall' -%}
        ('{{ name }}', true), ('{{ name }}', false),
        {% endfor -%}
        ('overall', true)
    ) as ways (group_name, is_by_reason)
),

-- What is suppressed is one group, so that the groups still add up.
grouped as (
    select
        every_way.month_starts_on,
        every_way.stratum_key,
        every_way.group_name,
        case
            when suppressed.dimension_value is null then every_way.group_value
            else 'suppressed'
        end as group_value,
        every_way.reason
    from every_way
    left join suppressed
        on
            every_way.month_starts_on = suppressed.period_starts_on
            and every_way.group_name = suppressed.dimension_name
            and every_way.group_value = suppressed.dimension_value
),

estimates as (
    {{ stratified_shares('grouped', 'in_period', 'design', 'month_starts_on', keys) }}
),

placed as (
    select
        estimates.*,
        estimates.n_audits as n,
        population.period_ends_on as month_ends_on,
        population.n_people,
        {{ coverage_rate('population') }} as coverage_rate,
        population.has_derived_frame,
        population.misframed_rate,
        population.unjudged_rate,
        estimates.reason <> 'all' as is_by_reason
    from estimates
    inner join population on estimates.month_starts_on = population.period_starts_on
),

published as (
    {{ publish_rate(
        'placed',
        ['month_starts_on'] + keys + ['month_ends_on', 'is_by_reason'],
        asked=['n_base_audits', 'misframed_rate', 'unjudged_rate'],
        values=['n_successes', 'weighted_numerator', 'weighted_denominator'],
        weighted='only',
    ) }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by month_starts_on, group_name, is_by_reason
            order by weighted_numerator desc, group_value asc, reason asc
        ) as error_rank
    from published
),

cumulated as (
    select
        *,
        {{ exact_sum('weighted_numerator', over='partition by month_starts_on, group_name, '
            ~ 'is_by_reason order by error_rank') }} as errors_so_far,
        {{ exact_sum('weighted_numerator', over='partition by month_starts_on, group_name, '
            ~ 'is_by_reason') }} as all_errors,
        first_value(reason) over (
            partition by month_starts_on, group_name, group_value
            order by case when is_by_reason then 0 else 1 end, error_rank
        ) as first_reason
    from ranked
)

select
    month_starts_on,
    group_name,
    group_value,
    reason,
    month_ends_on,
    weighting,
    is_reportable,
    reason_code,
    cast(error_rank as bigint) as error_rank,
    case when is_by_reason then reason else first_reason end as main_reason,
    n_successes as n_errors,
    n_people,
    n,
    coverage_rate,
    weighted_numerator as estimated_errors,
    ci_low * weighted_denominator as estimated_errors_low,
    ci_high * weighted_denominator as estimated_errors_high,
    estimate,
    standard_error,
    standard_error_reason,
    ci_low,
    ci_high,
    confidence_level,
    effective_n,
    weighted_numerator / nullif(all_errors, 0) as share_of_errors,
    errors_so_far / nullif(all_errors, 0) as cumulative_share_of_errors
from cumulated
