{% set of_actions = [
    'n_actions', 'n_appealed_actions', 'n_overturned_actions', 'n_reversed_actions',
    'n_restored_without_appeal',
] -%}
{% set of_appeals = {
    'n_appeals': '1',
    'n_granted': one_where("outcome = 'granted'"),
    'n_partial': one_where("outcome = 'partial'"),
    'n_denied': one_where("outcome = 'denied'"),
    'n_withdrawn': one_where("outcome = 'withdrawn'"),
    'n_pending': one_where("outcome = 'pending'"),
    'n_judged': one_where("outcome in ('granted', 'partial', 'denied')"),
    'n_upheld_appeals': one_where("outcome in ('granted', 'partial')"),
    'n_due_to_return': one_where("outcome = 'granted' and is_due_to_return"),
    'n_not_restored': one_where("outcome = 'granted' and is_due_to_return and not is_reversed"),
} -%}
{% set measures = of_actions + (of_appeals.keys() | list) -%}
{% set grouped_by = [
    'policy_id', 'parent_policy_id', 'action_code', 'decided_by_type', 'language', 'channel',
] -%}
{% set sums, whole_sums, none_of_appeals, one_of_appeals = [], [], [], [] -%}
{% for name in measures -%}
{% do sums.append('sum(' ~ name ~ ') as ' ~ name) -%}
{% do whole_sums.append('cast(sum(' ~ name ~ ') as bigint) as ' ~ name) -%}
{% endfor -%}
{% for name, expression in of_appeals.items() -%}
{% do none_of_appeals.append('0 as ' ~ name) -%}
{% do one_of_appeals.append(expression ~ ' as ' ~ name) -%}
{% endfor -%}
{% set keys = [
    'appellant', 'anchor', 'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name',
    'dimension_value',
] | join(', ') -%}

with actions as (
    select * from {{ ref('int_appeals__actions') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

appeals as (
    select
        appeals.*,
        appeals.answered_at <= as_of.as_of - interval '1' day as is_due_to_return
    from {{ ref('fct_appeals') }} as appeals
    cross join as_of
    where appeals.is_in_rates
),

-- Once for each of the days by which it is counted; what was not answered has no day of its answer.
events as (
    select
        'affected' as appellant,
        'decided_at' as anchor,
        decided_on as happened_on,
        {% for name in grouped_by -%}
        {{ 'cast(null as string) as channel' if name == 'channel' else name }},
        {% endfor -%}
        {% for name in of_actions -%}
        {{ name }},
        {% endfor -%}
        {{ none_of_appeals | join(', ') }}
    from actions
    {% for anchor, day in appeal_anchors().items() -%}
    union all
    select
        appellant,
        '{{ anchor }}' as anchor,
        {{ day }} as happened_on,
        {% for name in grouped_by -%}
        {#- How many actions a channel has, nobody can say. -#}
        {{ 'cast(null as string) as channel' if name == 'channel' and anchor == 'decided_at'
            else name }},
        {% endfor -%}
        {% for name in of_actions -%}
        0 as {{ name }},
        {% endfor -%}
        {{ one_of_appeals | join(', ') }}
    from appeals
    where {{ day }} is not null {{ "and outcome <> 'pending'" if anchor == 'answered_at' }}
    {% endfor -%}
),

by_day as (
    select
        appellant,
        anchor,
        happened_on,
        {{ grouped_by | join(', ') }},
        {{ sums | join(', ') }}
    from events
    group by appellant, anchor, happened_on, {{ grouped_by | join(', ') }}
),

grouped as (
    {{ by_period_and_dimension(
        'by_day', 'happened_on', appeal_dimensions(), types=rare_period_types()) }}
)

select
    {{ keys }},
    {{ whole_sums | join(', ') }}
from grouped
where dimension_value is not null
group by {{ keys }}
