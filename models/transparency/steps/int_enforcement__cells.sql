-- What a test with a tolerance holds back is held back here too.
-- depends_on: {{ ref('stg_audits') }}
-- depends_on: {{ ref('tolerances') }}
{% set dimensions = {'overall': "'all'", 'policy': 'policy_id', 'action': 'action_code'} -%}
{% set counts = {
    'n_reported_known': 'is_proactive is not null',
    'n_proactive': 'is_proactive',
    'n_views_known': 'views_at_decision is not null',
    'n_before_views': 'views_at_decision = 0',
    'n_posted_known': 'item_created_at <= decided_at',
    'n_posted_later': 'item_created_at > decided_at',
    'n_within_24h': "decided_at between item_created_at and item_created_at + interval '24' hour",
    'n_decider_known': 'is_automated is not null',
    'n_automated': 'is_automated',
    'n_reinstated': reporting_date('undone_at') ~ ' <= ' ~ add_days(
        'period_ends_on', var('reinstatement_days')
    ),
} -%}

with acts as (
    select
        *,
        lag(decided_on) over (
            partition by item_id, action_code order by decided_at, decision_id
        ) as previous_act_on
    from {{ ref('int_enforcement__acts') }}
),

first_report as (
    select min({{ reporting_date('reported_at') }}) as reported_on
    from {{ ref('stg_reports') }}
),

in_periods as (
    {{ by_period('acts', 'decided_on', types=['month', 'quarter']) }}
),

-- Reports tell of a period if they were kept when its first item was acted on.
basis as (
    select
        in_periods.period_type,
        in_periods.period_starts_on,
        coalesce(min(first_report.reported_on) <= min(in_periods.decided_on), false)
            as is_by_reports
    from in_periods
    cross join first_report
    group by in_periods.period_type, in_periods.period_starts_on
),

judged as (
    select
        in_periods.*,
        basis.is_by_reports,
        in_periods.item_id is not null
        and coalesce(in_periods.previous_act_on < in_periods.period_starts_on, true) as is_counted,
        case
            when basis.is_by_reports then not in_periods.is_reported
            else not in_periods.is_reported_by_reason
        end as is_proactive
    from in_periods
    inner join basis
        on {{ same_keys('in_periods', 'basis', ['period_type', 'period_starts_on']) }}
),

by_dimension as (
    select
        judged.*,
        dimensions.dimension_name,
        {{ value_of_dimension(dimensions) }} as dimension_value
    from judged
    cross join (
        values ('overall'), ('policy'), ('action')
    ) as dimensions (dimension_name)
    where judged.action_code = 'remove' or dimensions.dimension_name = 'action'
)

select
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    period_ends_on,
    is_by_reports,
    {% for name, condition in counts.items() -%}
    cast(sum({{ one_where('is_counted and (' ~ condition ~ ')') }}) as bigint) as {{ name }},
    {% endfor -%}
    -- Who is not named may be one person.
    cast(
        count(distinct case
            when is_counted and decided_by_type = 'human' then coalesce(moderator_key, '')
        end) as bigint
    ) as n_people,
    cast(count(*) as bigint) as n_acts,
    cast(sum({{ one_where('item_id is null') }}) as bigint) as n_without_item,
    cast(sum({{ one_where('item_id is not null and not is_counted') }}) as bigint) as n_repeated,
    cast(sum({{ one_where('is_counted') }}) as bigint) as n_items
from by_dimension
group by
    period_type, period_starts_on, dimension_name, dimension_value, period_ends_on, is_by_reports
