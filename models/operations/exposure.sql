{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set severities = ['none', 'low', 'medium', 'high', 'severe', 'unknown'] -%}
{% set shown = ['n_items', 'n_measured'] -%}
{% for severity in severities -%}
{% do shown.extend(['n_' ~ severity, 'seconds_' ~ severity]) -%}
{% endfor -%}

with days as (
    select
        *,
        'human' as decided_by_type
    from {{ ref('int_operations__exposure_days') }}
),

hours as (
    select * from {{ ref('int_people__hours_by_day') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where
        (basis = 'workload' and dimension_name = 'overall')
        or (basis = 'accuracy' and dimension_name = 'team')
),

with_hours as (
    select
        days.*,
        hours.productive_seconds,
        case
            when hours.productive_seconds > 0 then days.seconds_high + days.seconds_severe
            else 0e0
        end as seconds_of_productive
    from days
    left join hours
        on
            days.moderator_key = hours.person_key
            and days.decided_on = hours.work_date
            -- Who is in two groups on a day has their hours once, in that of the roster.
            and days.team_id is not distinct from hours.team_id
),

in_groups as (
    {{ by_period_and_dimension('with_hours', 'decided_on', exposure_dimensions()) }}
),

summed as (
    select
        {{ group | join(', ') }},
        period_ends_on,
        count(distinct moderator_key) as n_people,
        {% for severity in severities -%}
        sum(n_{{ severity }}) as n_{{ severity }},
        {{ exact_sum('seconds_' ~ severity, bits=40) }} as seconds_{{ severity }},
        {% endfor -%}
        sum(n_items) as n_items,
        sum(n_measured) as n_measured,
        {{ exact_sum('seconds_of_productive', bits=40) }} as seconds_of_productive,
        sum(productive_seconds) as productive_seconds
    from in_groups
    group by {{ group | join(', ') }}, period_ends_on
),

coded as (
    select
        summed.*,
        suppressed.suppression_code
    from summed
    left join suppressed on {{ same_keys('summed', 'suppressed', group) }}
)

select
    {{ group | join(',\n    ') }},
    period_ends_on,
    suppression_code as reason_code,
    case when suppression_code is null then cast(n_people as bigint) end as n_people,
    {% for name in shown -%}
    case
        when suppression_code is null
            then {{ 'cast(' ~ name ~ ' as bigint)' if name.startswith('n_') else name }}
    end as {{ name }},
    {% endfor -%}
    case when suppression_code is null then seconds_high + seconds_severe end as exposure_seconds,
    case
        when suppression_code is null
            then seconds_of_productive / nullif(productive_seconds, 0)
    end as exposure_share
from coded
