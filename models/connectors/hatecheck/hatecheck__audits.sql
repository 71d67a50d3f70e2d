with labels as (
    select * from {{ ref('hatecheck__labels') }}
),

frame as (
    select * from {{ ref('hatecheck__sampling_frame') }}
),

-- A seeded draw without replacement: the first of each stratum in an order that only the seed sets.
shuffled as (
    select
        labels.*,
        frame.plan_id,
        frame.stratum_id,
        frame.planned_sample_size,
        frame.population_size,
        row_number() over (
            partition by frame.stratum_id
            order by {{ sha256("'" ~ var('hatecheck_seed') ~ ":' || labels.decision_id") }}
        ) as draw_rank
    from labels
    inner join frame
        on
            labels.functional_class = frame.queue_id
            and case when labels.has_enforced then 'enforced' else 'not_enforced' end
            = frame.action_group
)

select
    concat('audit-', decision_id) as audit_id,
    cast(1 as bigint) as revision_no,
    decision_id,
    'stratified_random' as sampling_method,
    plan_id,
    stratum_id,
    planned_sample_size / cast(population_size as double) as inclusion_probability,
    case when has_enforced then 'remove' else 'no_action' end as decided_action_code,
    case when has_enforced then functionality end as decided_policy_id,
    case when is_violating then 'remove' else 'no_action' end as truth_action_code,
    case when is_violating then functionality end as truth_policy_id,
    'final' as audit_status,
    cast('2021-08-02' as timestamp) as audited_at,
    'hatecheck' as source_system,
    cast('2021-08-02' as timestamp) as recorded_at
from shuffled
where draw_rank <= planned_sample_size
