{% set severities = ['none', 'low', 'medium', 'high', 'severe', 'unknown'] -%}
{% set limit = var('exposure_limit_seconds') -%}
{% set of_kind = 'partition by moderator_key, is_above_limit order by decided_on' %}

with days as (
    select
        moderator_key,
        decided_on,
        {% for severity in severities -%}
        sum(n_{{ severity }}) as n_{{ severity }},
        {{ exact_sum('seconds_' ~ severity, bits=40) }} as seconds_{{ severity }},
        {% endfor -%}
        sum(n_items) as n_items,
        sum(n_measured) as n_measured,
        max(longest_run_seconds) as longest_run_seconds
    from {{ ref('int_operations__exposure_days') }}
    group by moderator_key, decided_on
),

hours as (
    select * from {{ ref('int_people__hours_by_day') }}
),

exposed as (
    select
        days.*,
        days.seconds_high + days.seconds_severe as exposure_seconds,
        days.n_high + days.n_severe as n_exposed,
        hours.productive_seconds,
        {% if limit is none -%}
        cast(null as boolean) as is_above_limit
        {%- else -%}
        days.seconds_high + days.seconds_severe > {{ limit }} as is_above_limit
        {%- endif %}
    from days
    left join hours
        on days.moderator_key = hours.person_key and days.decided_on = hours.work_date
),

-- Days that follow each other have the same day less their number.
numbered as (
    select
        *,
        {{ add_days('decided_on', '-row_number() over (' ~ of_kind ~ ')') }} as island
    from exposed
)

select
    moderator_key,
    decided_on,
    {% for severity in severities -%}
    cast(n_{{ severity }} as bigint) as n_{{ severity }},
    seconds_{{ severity }},
    {% endfor -%}
    cast(n_items as bigint) as n_items,
    cast(n_measured as bigint) as n_measured,
    cast(n_exposed as bigint) as n_exposed,
    exposure_seconds,
    exposure_seconds / nullif(productive_seconds, 0) as exposure_share,
    cast(longest_run_seconds as double) as longest_run_seconds,
    is_above_limit,
    case
        when is_above_limit
            then
                cast(row_number() over (
                    partition by moderator_key, is_above_limit, island order by decided_on
                ) as bigint)
        when not is_above_limit then 0
    end as n_days_in_a_row
from numbered
