{% set measures = audit_measures().keys() | list -%}

with cells as (
    select * from {{ ref('accuracy_cells') }}
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

placed as (
    select
        cells.*,
        strata.plan_id,
        strata.stratum_id,
        strata.is_frame_held,
        strata.is_derived,
        case when cells.exclusion_reason is null then cells.n_audits end as n_counted_audits,
        case when cells.exclusion_reason = 'truth_missing' then cells.n_audits else 0 end
            as n_blank_audits,
        case when cells.exclusion_reason is null then cells.n_enforced end as n_counted_enforced
    from cells
    left join strata on cells.stratum_key = strata.stratum_key
),

marked as (
    select
        *,
        {%- set of_stratum -%}
            partition by
                period_type, period_starts_on, dimension_name, dimension_value,
                plan_id, stratum_id
        {%- endset %}
        exclusion_reason is null as is_counted,
        -- The unweighted rate needs no frame, so it has what only lacks one.
        coalesce(exclusion_reason, 'no_frame') = 'no_frame' as is_counted_unweighted,
        -- Audits of other groups in the stratum say nothing of this one. A stratum of the plan is
        -- one in all weeks of a month: in which of them its audits fell is chance.
        exclusion_reason is null
        and stratum_id is not null
        and max(n_counted_audits) over ({{ of_stratum }}) > 0 as is_covered,
        exclusion_reason is null
        and stratum_id is not null
        and max(n_counted_enforced) over ({{ of_stratum }}) > 0 as is_enforced_covered,
        sum(n_blank_audits) over ({{ of_stratum }})
        / cast(nullif(
            sum(n_blank_audits) over ({{ of_stratum }})
            + sum(n_counted_audits) over ({{ of_stratum }}), 0
        ) as double) as blank_share
    from placed
),

audits as (
    select *
    from {{ ref('fct_audits') }}
    where is_counted and decided_by_type = 'human'
),

calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    {{ periods_of_days('calendar') }}
),

-- Who is not known is one person.
people as (
    select
        periods.period_type,
        periods.period_starts_on,
        dimensions.dimension_name,
        {{ value_of_dimension(reporting_dimensions()) }} as dimension_value,
        count(distinct coalesce(audits.moderator_key, 'unknown')) as n_people
    from audits
    inner join periods on audits.decided_on = periods.calendar_date
    cross join (
        values {% for name in reporting_dimensions() -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as dimensions (dimension_name)
    group by
        periods.period_type,
        periods.period_starts_on,
        dimensions.dimension_name,
        {{ value_of_dimension(reporting_dimensions()) }}
),

counted as (
    select
        period_type,
        period_starts_on,
        period_ends_on,
        dimension_name,
        dimension_value,
        sum(case when is_counted then n_decisions else 0 end) as n_eligible_decisions,
        sum(case when is_counted then 0 else n_decisions end) as n_excluded_decisions,
        sum(case when is_covered then n_decisions else 0 end) as n_covered_decisions,
        sum(n_pending_decisions) as n_pending_decisions,
        sum(case when is_covered and not is_frame_held then n_decisions else 0 end)
            as n_misframed_decisions,
        max(case when is_covered and is_derived then 1 else 0 end) = 1 as has_derived_frame,
        sum(case when is_covered then n_decisions * coalesce(blank_share, 0e0) else 0e0 end)
            as n_unjudged_decisions,
        sum(case when is_counted then 0 else n_audits end) as n_excluded_audits,
        sum(n_counted_audits) as n_counted_audits,
        sum(case when is_counted then n_enforced_decisions else 0 end)
            as n_eligible_enforced_decisions,
        sum(case when is_enforced_covered then n_enforced_decisions else 0 end)
            as n_covered_enforced_decisions,
        sum(n_pending_enforced_decisions) as n_pending_enforced_decisions,
        sum(case when is_counted then n_targeted_decisions else 0 end) as n_targeted_decisions,
        sum(case when is_counted then target_millionths else 0 end) as target_millionths,
        {% for name in measures -%}
        sum(case when is_counted_unweighted then {{ name }} else 0 end) as {{ name }},
        {% endfor -%}
        sum(n_decisions) as n_decisions
    from marked
    group by period_type, period_starts_on, period_ends_on, dimension_name, dimension_value
)

select
    counted.period_type,
    counted.period_starts_on,
    counted.dimension_name,
    counted.dimension_value,
    counted.period_ends_on,
    {{ has_rates('counted') }} as has_rates,
    counted.has_derived_frame,
    {% for name in ['misframed', 'unjudged'] -%}
    coalesce(
        counted.n_{{ name }}_decisions
        / cast(
            nullif(counted.n_eligible_decisions - counted.n_pending_decisions, 0) as double
        ), 0e0
    ) as {{ name }}_rate,
    {% endfor -%}
    {% for name in [
        'n_decisions', 'n_eligible_decisions', 'n_excluded_decisions', 'n_covered_decisions',
        'n_pending_decisions', 'n_excluded_audits', 'n_eligible_enforced_decisions',
        'n_covered_enforced_decisions', 'n_pending_enforced_decisions', 'n_targeted_decisions',
        'target_millionths',
    ] + measures -%}
    cast(counted.{{ name }} as bigint) as {{ name }},
    {% endfor -%}
    cast(coalesce(people.n_people, 0) as bigint) as n_people
from counted
left join people
    on {{ same_keys('counted', 'people', [
        'period_type', 'period_starts_on', 'dimension_name', 'dimension_value',
    ]) }}
