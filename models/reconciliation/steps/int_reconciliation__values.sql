-- Codes that no list holds, fields that a feed stopped to fill, and closes in bulk: rows that are
-- in the total and in no part that anybody looks at.
{% set fields = ['language', 'region', 'views_at_decision'] -%}

with decisions as (
    select * from {{ ref('fct_decisions') }}
),

queues as (
    select queue_id from {{ ref('dim_queues') }}
),

by_queue as (
    select
        decisions.decided_on as happened_on,
        decisions.queue_id,
        count(*) as n_rows,
        sum(case when decisions.exclusion_reason = 'unknown_action_code' then 1 else 0 end)
            as n_unknown_action_code,
        sum(case when decisions.exclusion_reason = 'automatic_close' then 1 else 0 end)
            as n_automatic_closes,
        count(decisions.policy_id) as n_with_policy_id,
        sum(
            case
                when
                    decisions.policy_id is not null
                    and decisions.policy_version_at_decision is null
                    then 1
                else 0
            end
        ) as n_unknown_policy_id,
        {% for field in fields -%}
        count(case when decisions.is_eligible then decisions.{{ field }} end) as n_{{ field }},
        {% endfor -%}
        sum(case when decisions.is_eligible then 1 else 0 end) as n_eligible
    from decisions
    group by decisions.decided_on, decisions.queue_id
),

coded as (
    select
        by_queue.happened_on,
        sum(by_queue.n_rows) as n_action_code,
        sum(by_queue.n_unknown_action_code) as n_unknown_action_code,
        sum(by_queue.n_with_policy_id) as n_policy_id,
        sum(by_queue.n_unknown_policy_id) as n_unknown_policy_id,
        sum(case when by_queue.queue_id is not null then by_queue.n_rows else 0 end) as n_queue_id,
        sum(
            case
                when by_queue.queue_id is not null and queues.queue_id is null
                    then by_queue.n_rows
                else 0
            end
        ) as n_unknown_queue_id
    from by_queue
    left join queues on by_queue.queue_id = queues.queue_id
    group by by_queue.happened_on
),

-- What a day would have by the share of all other days.
closed as (
    select
        happened_on,
        n_closes,
        n_rows * (sum(n_closes) over () - n_closes)
        / cast(nullif(sum(n_rows) over () - n_rows, 0) as double) as n_usual
    from (
        select
            happened_on,
            cast(sum(n_automatic_closes) as double) as n_closes,
            sum(n_rows) as n_rows
        from by_queue
        group by happened_on
    ) as by_day
),

filled as (
    {% for field in fields -%}
    select
        happened_on,
        queue_id,
        '{{ field }}' as field,
        n_eligible,
        n_{{ field }} as n_filled,
        sum(n_{{ field }}) over () / cast(nullif(sum(n_eligible) over (), 0) as double)
            as share_filled
    from by_queue
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{% for code in ['action_code', 'policy_id', 'queue_id'] -%}
select
    'codes_to_lists' as check_name,
    happened_on,
    'code' as dimension_name,
    '{{ code }}' as dimension_value,
    cast(n_{{ code }} as double) as left_value,
    cast(n_{{ code }} - n_unknown_{{ code }} as double) as right_value,
    cast(0 as double) as explained_difference,
    'unmapped_code' as reason_code
from coded
union all
{% endfor -%}
-- A field that the source hardly ever fills is known as such, and one that is blank now and then is
-- no event: asked is where a queue loses on one day what it has on others.
select
    'rows_to_filled_fields' as check_name,
    happened_on,
    concat('queue_without_', field) as dimension_name,
    coalesce(queue_id, 'unknown') as dimension_value,
    cast(n_eligible as double) as left_value,
    cast(n_filled as double) as right_value,
    cast(
        case
            when share_filled >= 0.5 and 2 * n_filled < n_eligible and n_eligible >= 10 then 0
            else n_eligible - n_filled
        end as double
    ) as explained_difference,
    case
        when share_filled >= 0.5 and 2 * n_filled < n_eligible and n_eligible >= 10
            then 'field_lost'
        else 'not_recorded'
    end as reason_code
from filled
where n_eligible > n_filled or n_eligible >= 10
union all
select
    'closes_to_usual' as check_name,
    happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    n_closes as left_value,
    n_usual as right_value,
    case when n_closes > 10 + 3 * n_usual then 0 else n_closes - n_usual end
        as explained_difference,
    case when n_closes > 10 + 3 * n_usual then 'bulk_close' else 'usual_variation' end
        as reason_code
from closed
where n_closes > 0
