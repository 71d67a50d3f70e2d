with policies as (
    select * from {{ ref('stg_policies') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

begun as (
    select
        policies.*,
        (policies.valid_to is null or policies.valid_to > as_of.as_of) as has_not_ended
    from policies
    cross join as_of
    where policies.valid_from <= as_of.as_of
),

latest as (
    select
        *,
        row_number() over (partition by policy_id order by valid_from desc) as version_rank,
        count(*) over (partition by policy_id) as n_versions
    from begun
),

parents as (
    select distinct parent_policy_id
    from begun
    where parent_policy_id is not null
)

select
    latest.policy_id,
    coalesce(latest.parent_policy_id, latest.policy_id) as parent_policy_id,
    latest.policy_name,
    latest.policy_version as policy_version_current,
    latest.severity as severity_current,
    parents.parent_policy_id is null as is_leaf,
    latest.has_not_ended as is_in_force,
    cast(latest.n_versions as bigint) as n_versions,
    latest.valid_from as version_valid_from,
    latest.source_system,
    latest.recorded_at
from latest
left join parents on latest.policy_id = parents.parent_policy_id
where latest.version_rank = 1
