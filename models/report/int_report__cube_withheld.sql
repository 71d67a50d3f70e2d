{% set cell = ['month_starts_on', 'queue_id', 'policy_parent_id'] -%}
with cells as (
    select
        {{ cell | join(', ') }},
        n_people,
        case when n_people < {{ var('min_people') }} then 1 else 0 end as is_few
    from {{ ref('int_report__cube_cells') }}
    where decided_by_type = 'human' and n_audits > 0
),

listed as (
    select
        period_starts_on as month_starts_on,
        dimension_name,
        dimension_value
    from {{ ref('int_people__suppressed_groups') }}
    where
        basis = 'accuracy'
        and period_type = 'month'
        and dimension_name in ('queue', 'queue_and_decider', 'policy_parent')
),

marked as (
    select
        cells.*,
        max(case when listed.dimension_name like 'queue%' then 1 else 0 end) as is_queue_listed,
        max(case when listed.dimension_name = 'policy_parent' then 1 else 0 end)
            as is_policy_listed
    from cells
    left join listed
        on
            cells.month_starts_on = listed.month_starts_on
            and case listed.dimension_name
                when 'queue' then cells.queue_id
                when 'queue_and_decider' then concat(cells.queue_id, ' | human')
                else cells.policy_parent_id
            end = listed.dimension_value
    group by {{ range(1, 6) | join(', ') }}
),

-- Their queues' and policies' totals are open: what a total leaves besides the cells that are shown
-- can be worked out, and so can differences of what queues and policies leave.
in_open_totals as (
    select *
    from marked
    where is_queue_listed = 0 and is_policy_listed = 0
),

-- Few people are hidden only together with many. So what is withheld is tied together by cells of
-- many people, all in one policy (the hub), such that no sum or difference cuts out few.
hubs as (
    select
        month_starts_on,
        policy_parent_id,
        row_number() over (
            partition by month_starts_on order by sum(1 - is_few) desc, policy_parent_id
        ) as place
    from in_open_totals
    group by month_starts_on, policy_parent_id
),

at_hub as (
    select
        cells.month_starts_on,
        cells.queue_id,
        cells.policy_parent_id,
        cells.is_few
    from in_open_totals as cells
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
    from in_open_totals as cells
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
                    order by can_tie desc, n_people, queue_id
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

-- Where not all can be tied together, the month is shown by queue only. A queue or a policy of which
-- each cell is of few is its own total; both at once would tell differences.
months as (
    select
        month_starts_on,
        is_queue_alone + is_policy_alone = 2
        or is_queue_untied = 1
        or is_policy_untied = 1
        or has_both_listed = 1 as is_by_queue_only
    from (
        select
            marked.month_starts_on,
            max(marked.is_queue_listed) + max(marked.is_policy_listed) - 1 as has_both_listed,
            {% for name, condition in {
                'is_queue_alone': 'not of_few.is_queue_tied and of_few.queue_has_few = 1
                    and of_few.queue_has_many = 0',
                'is_queue_untied': 'not of_few.is_queue_tied and of_few.queue_has_few = 1
                    and of_few.queue_has_many = 1',
                'is_policy_alone': 'not of_few.is_hub and of_few.policy_has_few = 1
                    and of_few.policy_has_many = 0',
                'is_policy_untied': 'not of_few.is_hub and of_few.policy_has_few = 1
                    and of_few.policy_has_many = 1 and of_few.policy_can_be_tied = 0',
            }.items() -%}
            max(case when {{ condition }} then 1 else 0 end) as {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from marked
        left join withheld_of_few as of_few on {{ same_keys('marked', 'of_few', cell) }}
        group by marked.month_starts_on
    ) as counted
)

select
    {% for key in cell -%}
    marked.{{ key }},
    {% endfor -%}
    -- A queue whose total is not open goes with the others of the kind.
    case when marked.is_queue_listed = 1 then 'withheld' else marked.queue_id end
        as counted_in_queue_id
from marked
inner join months on marked.month_starts_on = months.month_starts_on
left join withheld_of_few on {{ same_keys('marked', 'withheld_of_few', cell) }}
where
    months.is_by_queue_only
    or marked.is_queue_listed = 1
    or marked.is_policy_listed = 1
    or withheld_of_few.is_withheld
