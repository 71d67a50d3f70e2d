{% set slices = slice_dimensions() -%}

with audits as (
    select * from {{ ref('fct_audits') }}
    where is_counted
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

policies as (
    select * from {{ ref('dim_policies') }}
),

placed as (
    select
        audits.*,
        concat(strata.plan_id, ' | ', strata.stratum_id) as risk_cell,
        policies.parent_policy_id as truth_parent_policy_id,
        {{ tenure_band(days_between('roster.hired_on', 'audits.decided_on')) }}
            as tenure_band_at_decision
    from audits
    inner join strata on audits.stratum_key = strata.stratum_key
    left join policies on audits.truth_policy_id = policies.policy_id
    left join roster
        on
            audits.moderator_key = roster.person_key
            and {{ valid_at('roster', 'audits.decided_at') }}
),

sliced as (
    select
        placed.audit_id,
        placed.decided_on,
        placed.stratum_key,
        placed.risk_cell,
        -- Who has no name is one person all the same, and not a machine.
        case
            when placed.decided_by_type = 'human' then coalesce(placed.moderator_key, 'unknown')
        end as moderator_key,
        placed.auditor_key,
        placed.weight,
        dimensions.dimension_name,
        {{ value_of_dimension(slices) }} as dimension_value,
        cast(1 - placed.n_correct as bigint) as n_errors
    from placed
    cross join (
        values {% for name in slices -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as dimensions (dimension_name)
)

select *
from sliced
where dimension_value not like '%not_applicable%'
