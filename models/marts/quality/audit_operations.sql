{% set dimensions = reporting_dimensions() %}
{% do dimensions.update({'stratum': "coalesce(plan_stratum, 'not_in_frame')"}) %}
{% set group_keys = [
    'period_type', 'period_starts_on', 'dimension_name', 'dimension_value', 'period_ends_on',
] %}

with decisions as (
    select *
    from {{ ref('int_eligibility__audited_decisions') }}
    where {{ near_days_to_build('published', 'decided_on') }}
),

daily_decisions as (
    select *
    from {{ ref('accuracy_decisions_by_day') }}
    where
        exclusion_reason is null
        and {{ near_days_to_build('published', 'decided_on') }}
),

strata as (
    select
        stratum_key,
        concat(plan_id, '|', stratum_id) as plan_stratum
    from {{ ref('int_sampling__strata') }}
),

final_audits as (
    select *
    from {{ ref('fct_audits') }}
    where
        coalesce(exclusion_reason, '') not in ('withdrawn', 'not_final')
        and {{ near_days_to_build('published', 'decided_on') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

days as (
    select
        decided_on,
        dimension_name,
        dimension_value,
        n_decisions
    from daily_decisions
    union all
    select
        daily_decisions.decided_on,
        'stratum' as dimension_name,
        coalesce(strata.plan_stratum, 'not_in_frame') as dimension_value,
        daily_decisions.n_decisions
    from daily_decisions
    left join strata on daily_decisions.stratum_key = strata.stratum_key
    where daily_decisions.dimension_name = 'overall'
),

eligible as (
    select
        {{ group_keys | join(', ') }},
        sum(n_decisions) as n_eligible_decisions
    from (
        {{ by_period('days', 'decided_on', day_set='published') }}
    ) as days_in_periods
    group by {{ group_keys | join(', ') }}
),

by_method as (
    select
        final_audits.audit_id,
        final_audits.decision_id,
        final_audits.audited_at,
        final_audits.is_blind,
        case methods.method_scope
            when 'all' then 'all'
            else final_audits.sampling_method
        end as sampling_method
    from final_audits
    cross join (values ('own'), ('all')) as methods (method_scope)
),

audits as (
    select
        decisions.decided_on,
        decisions.queue_id,
        decisions.policy_id,
        decisions.parent_policy_id,
        decisions.decided_by_type,
        decisions.site,
        decisions.vendor,
        decisions.team_id,
        decisions.language,
        decisions.region,
        decisions.item_type,
        decisions.model_version,
        decisions.confidence,
        strata.plan_stratum,
        by_method.is_blind,
        by_method.sampling_method,
        -- A decision that was audited twice by a method is one decision.
        row_number() over (
            partition by by_method.sampling_method, by_method.decision_id
            order by by_method.audit_id
        ) = 1 as is_first_of_decision,
        {{ seconds_between('decisions.decided_at', 'by_method.audited_at') }}
            as turnaround_seconds
    from by_method
    inner join decisions on by_method.decision_id = decisions.decision_id
    left join strata on decisions.stratum_key = strata.stratum_key
    where decisions.exclusion_reason is null
),

-- Dimension after dimension: audits times dimensions times periods would be sorted as one.
counted as (
    {% for name, expression in dimensions.items() -%}
    select
        grouped.sampling_method,
        grouped.period_type,
        grouped.dimension_name,
        grouped.dimension_value,
        grouped.period_starts_on,
        count(*) as n_audits,
        sum(case when grouped.is_first_of_decision then 1 else 0 end) as n_audited_decisions,
        count(grouped.is_blind) as n_blind_known,
        sum(case when grouped.is_blind then 1 else 0 end) as n_blind,
        -- The least that half, or nine in ten, of the audits did not exceed.
        percentile_disc(0.5) within group (order by grouped.turnaround_seconds)
            as turnaround_seconds_median,
        percentile_disc(0.9) within group (order by grouped.turnaround_seconds)
            as turnaround_seconds_p90
    from (
        {{ by_period_and_dimension(
            'audits', 'decided_on', {name: expression}, day_set='published') }}
    ) as grouped
    group by
        grouped.sampling_method,
        grouped.period_type,
        grouped.period_starts_on,
        grouped.dimension_name,
        grouped.dimension_value
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

methods as (
    select distinct
        period_type,
        period_starts_on,
        sampling_method
    from counted
    union
    select distinct
        period_type,
        period_starts_on,
        'all' as sampling_method
    from eligible
),

completed as (
    select
        eligible.*,
        methods.sampling_method,
        coalesce(counted.n_audits, 0) as n_audits,
        coalesce(counted.n_audited_decisions, 0) as n_audited_decisions,
        coalesce(counted.n_blind_known, 0) as n_blind_known,
        coalesce(counted.n_blind, 0) as n_blind,
        counted.turnaround_seconds_median,
        counted.turnaround_seconds_p90
    from eligible
    inner join methods
        on
            eligible.period_type = methods.period_type
            and eligible.period_starts_on = methods.period_starts_on
    left join counted
        on
            {{ same_keys('eligible', 'counted', group_keys[:4]) }}
            and methods.sampling_method = counted.sampling_method
)

select
    completed.period_type,
    completed.period_starts_on,
    completed.dimension_name,
    completed.dimension_value,
    completed.sampling_method,
    completed.period_ends_on,
    case
        when completed.n_audits = 0 then 'no_audits'
        when completed.n_blind_known = 0 then 'blindness_unknown'
    end as reason_code,
    case
        when completed.n_audits = 0 then 'no_audits'
        when completed.n_blind_known = 0 then 'blindness_unknown'
        when completed.n_blind_known < {{ var('min_audits') }} then 'too_few_audits'
    end as blind_reason_code,
    cast(completed.n_eligible_decisions as bigint) as n_eligible_decisions,
    cast(completed.n_audited_decisions as bigint) as n_audited_decisions,
    cast(completed.n_audits as bigint) as n_audits,
    cast(completed.n_blind_known as bigint) as n_blind_known,
    cast(completed.n_blind as bigint) as n_blind,
    completed.n_audited_decisions / cast(nullif(completed.n_eligible_decisions, 0) as double)
        as coverage_rate,
    {{ share_with_interval('completed.n_blind', 'completed.n_blind_known', 'blind_share') }},
    cast(completed.turnaround_seconds_median as bigint) as turnaround_seconds_median,
    cast(completed.turnaround_seconds_p90 as bigint) as turnaround_seconds_p90,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from completed
cross join as_of
