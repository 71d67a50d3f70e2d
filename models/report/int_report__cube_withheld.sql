{% set cell = ['month_starts_on', 'queue_id', 'policy_parent_id'] -%}
with merged as (
    select * from {{ ref('int_report__cube_merged') }}
),

cells as (
    select distinct
        month_starts_on,
        merged_queue_id as queue_id,
        merged_policy_id as policy_parent_id,
        n_people,
        case when n_people < {{ var('min_people') }} then 1 else 0 end as is_few
    from merged
),

-- The totals of queues and policies are open: what they leave besides the cells that are shown can
-- be worked out, by sums and differences. So what is withheld is tied together by cells of many
-- people, all in one policy (the hub), such that no sum or difference cuts out few.
hubs as (
    select
        month_starts_on,
        policy_parent_id,
        row_number() over (
            partition by month_starts_on order by sum(1 - is_few) desc, policy_parent_id asc
        ) as place
    from cells
    group by month_starts_on, policy_parent_id
),

at_hub as (
    select
        cells.month_starts_on,
        cells.queue_id,
        cells.policy_parent_id,
        cells.is_few
    from cells
    inner join hubs on {{ same_keys('cells', 'hubs', ['month_starts_on', 'policy_parent_id']) }}
    where hubs.place = 1
),

tied as (
    select
        cells.*,
        coalesce(at_hub.is_few = 0, false) as is_queue_tied,
        coalesce(cells.policy_parent_id = hubs.policy_parent_id, false) as is_hub,
        case when cells.is_few = 0 and coalesce(at_hub.is_few = 0, false) then 1 else 0 end
            as can_tie,
        max(cells.is_few) over (partition by cells.month_starts_on, cells.queue_id)
            as queue_has_few,
        max(cells.is_few) over (partition by cells.month_starts_on, cells.policy_parent_id)
            as policy_has_few,
        max(1 - cells.is_few) over (partition by cells.month_starts_on, cells.queue_id)
            as queue_has_many,
        max(1 - cells.is_few) over (partition by cells.month_starts_on, cells.policy_parent_id)
            as policy_has_many
    from cells
    left join hubs on cells.month_starts_on = hubs.month_starts_on and hubs.place = 1
    left join at_hub
        on
            cells.month_starts_on = at_hub.month_starts_on
            and cells.queue_id = at_hub.queue_id
),

chosen as (
    select
        *,
        max(can_tie) over (partition by month_starts_on, policy_parent_id) as policy_can_be_tied,
        case
            when
                policy_has_few = 1
                and not is_hub
                and can_tie = 1
                and row_number() over (
                    partition by month_starts_on, policy_parent_id
                    order by can_tie desc, n_people asc, queue_id asc
                ) = 1
                then 1
            else 0
        end as is_tie
    from tied
),

withheld_of_few as (
    select
        *,
        is_few = 1
        or is_tie = 1
        or is_hub
        and is_queue_tied
        and max(greatest(is_tie, is_few)) over (partition by month_starts_on, queue_id) = 1
            as is_withheld
    from chosen
),

-- Where not all can be tied together, the month is shown by queue only. A queue or a policy of
-- which each cell is of few is its own total; both at once would tell differences.
months as (
    select
        month_starts_on,
        is_queue_alone + is_policy_alone = 2
        or is_queue_untied = 1
        or is_policy_untied = 1 as is_by_queue_only
    from (
        select
            {% for name, condition in {
                'is_queue_alone': 'not is_queue_tied and queue_has_few = 1 and queue_has_many = 0',
                'is_queue_untied': 'not is_queue_tied and queue_has_few = 1 and queue_has_many = 1',
                'is_policy_alone': 'not is_hub and policy_has_few = 1 and policy_has_many = 0',
                'is_policy_untied': 'not is_hub and policy_has_few = 1 and policy_has_many = 1
                    and policy_can_be_tied = 0',
            }.items() -%}
            max(case when {{ condition }} then 1 else 0 end) as {{ name }},
            {% endfor -%}
            month_starts_on
        from withheld_of_few
        group by month_starts_on
    ) as counted
)

select
    {% for key in cell -%}
    merged.{{ key }},
    {% endfor -%}
    merged.merged_queue_id as counted_in_queue_id
from merged
inner join withheld_of_few
    on
        merged.month_starts_on = withheld_of_few.month_starts_on
        and merged.merged_queue_id = withheld_of_few.queue_id
        and merged.merged_policy_id = withheld_of_few.policy_parent_id
inner join months on merged.month_starts_on = months.month_starts_on
where
    months.is_by_queue_only
    or merged.merged_queue_id = 'withheld'
    or merged.merged_policy_id = 'withheld'
    or withheld_of_few.is_withheld
