{% set dimensions = reporting_dimensions() %}
{% do dimensions.update({'stratum': "coalesce(plan_stratum, 'not_in_frame')"}) %}
{% set group_keys = [
    'period_type', 'period_starts_on', 'dimension_name', 'dimension_value', 'period_ends_on',
] %}

with decisions as (
    select * from {{ ref('int_eligibility__audited_decisions') }}
),

cells as (
    select *
    from {{ ref('accuracy_cells') }}
    where exclusion_reason is null and period_type in ('week', 'month')
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
    where coalesce(exclusion_reason, '') not in ('withdrawn', 'not_final')
),

cells_and_strata as (
    select
        {{ group_keys | join(', ') }},
        n_decisions
    from cells
    union all
    select
        cells.period_type,
        cells.period_starts_on,
        'stratum' as dimension_name,
        coalesce(strata.plan_stratum, 'not_in_frame') as dimension_value,
        cells.period_ends_on,
        cells.n_decisions
    from cells
    left join strata on cells.stratum_key = strata.stratum_key
    where cells.dimension_name = 'overall'
),

eligible as (
    select
        {{ group_keys | join(', ') }},
        sum(n_decisions) as n_eligible_decisions
    from cells_and_strata
    group by {{ group_keys | join(', ') }}
    having sum(n_decisions) > 0
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
    where decisions.exclusion_reason is null and {{ computed_once() }}
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
        {{ by_period_and_dimension('audits', 'decided_on', {name: expression}) }}
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
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    sampling_method,
    {% for name in [
        'n_eligible_decisions', 'n_audited_decisions', 'n_audits', 'n_blind_known', 'n_blind',
        'turnaround_seconds_median', 'turnaround_seconds_p90',
    ] -%}
    cast({{ name }} as bigint) as {{ name }},
    {% endfor -%}
    period_ends_on
from completed
