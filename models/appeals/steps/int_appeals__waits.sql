{% set grouped_by = [
    'appellant', 'policy_id', 'parent_policy_id', 'action_code', 'decided_by_type', 'language',
    'channel',
] -%}
{% set measures = [
    'n', 'n_answered', 'n_withdrawn', 'n_pending', 'n_left_out', 'n_notified',
] -%}
{% set sums, whole_sums = [], [] -%}
{% for name in measures -%}
{% do sums.append('sum(' ~ name ~ ') as ' ~ name) -%}
{% do whole_sums.append('cast(sum(' ~ name ~ ') as bigint) as ' ~ name) -%}
{% endfor -%}
{% set keys = [
    'appellant', 'anchor', 'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name',
    'dimension_value',
] | join(', ') -%}

with appeals as (
    select
        appeals.*,
        as_of.as_of,
        appeals.outcome in ('granted', 'partial', 'denied') as is_answered
    from {{ ref('fct_appeals') }} as appeals
    cross join {{ ref('int_context__as_of') }} as as_of
    where appeals.is_in_rates
),

-- By the filing: how long each has waited, until now where it still does. By the answer: how long
-- those that were answered had to wait until somebody told them.
waits as (
    select
        {{ grouped_by | join(', ') }},
        'filed_at' as anchor,
        filed_on as happened_on,
        case
            when time_exclusion_reason is null then {{ seconds_between(
                'filed_at', "case when outcome = 'pending' then as_of else answered_at end") }}
        end as seconds,
        {{ one_where('time_exclusion_reason is null') }} as n,
        {{ one_where('time_exclusion_reason is null and is_answered') }} as n_answered,
        {{ one_where("time_exclusion_reason is null and outcome = 'withdrawn'") }} as n_withdrawn,
        {{ one_where("outcome = 'pending'") }} as n_pending,
        {{ one_where('time_exclusion_reason is not null') }} as n_left_out,
        0 as n_notified
    from appeals
    union all
    select
        {{ grouped_by | join(', ') }},
        'answered_at' as anchor,
        answered_on as happened_on,
        {{ seconds_between(
            'filed_at', 'greatest(answered_at, coalesce(notified_at, answered_at))') }} as seconds,
        1 as n,
        1 as n_answered,
        0 as n_withdrawn,
        0 as n_pending,
        0 as n_left_out,
        {{ one_where('notified_at >= answered_at') }} as n_notified
    from appeals
    where is_answered and time_exclusion_reason is null
),

by_day as (
    select
        {{ grouped_by | join(', ') }},
        anchor,
        happened_on,
        {{ wait_step('seconds') }} as wait_seconds,
        {{ sums | join(', ') }}
    from waits
    group by
        {{ grouped_by | join(', ') }},
        anchor,
        happened_on,
        {{ wait_step('seconds') }}
),

grouped as (
    {{ by_period_and_dimension(
        'by_day', 'happened_on', appeal_dimensions(), types=rare_period_types()) }}
)

select
    {{ keys }},
    wait_seconds,
    {{ whole_sums | join(', ') }}
from grouped
where dimension_value is not null
group by {{ keys }}, wait_seconds
