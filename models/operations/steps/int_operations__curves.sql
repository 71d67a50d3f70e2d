{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set horizons = {'within_1h': 3600, 'within_24h': 86400} -%}
{% set left_out = ['job_made', 'enqueued_after_as_of', 'decided_before_enqueued'] -%}
{#- What is counted, by which measure, and the shares that are asked of it. -#}
{% set counted = {'job': ['n', horizons], 'item': ['n_items', {}]} -%}

with waits as (
    {{ in_weeks_and_months(ref('int_operations__waits')) }}
),

-- A number for each group: engines sort by it faster than by its names.
groups as (
    select
        {{ group | join(', ') }},
        row_number() over (order by {{ group | join(', ') }}) as group_number,
        sum(n_auto_closed) as n_auto_closed,
        sum(n_skipped_twice) as n_skipped_twice,
        sum(opened_seconds) as opened_seconds,
        {% for reason in left_out -%}
        sum({{ reason }}) as n_{{ reason }},
        {% endfor -%}
        sum(n_opened) as n_opened
    from waits
    group by {{ group | join(', ') }}
),

cells as (
    select
        groups.group_number,
        {% for measure, shares in counted.values() -%}
        {% for part in ['', '_ended', '_decided'] -%}
        sum(waits.{{ measure }}{{ part }}) as {{ measure }}{{ part }},
        {% endfor -%}
        {% endfor -%}
        waits.wait_seconds
    from waits
    inner join groups on {{ same_keys('waits', 'groups', group) }}
    where waits.wait_seconds is not null
    group by groups.group_number, waits.wait_seconds
),

{% for thing, (measure, shares) in counted.items() -%}
{{ thing }}_cells as (
    select
        group_number,
        wait_seconds,
        {{ measure }} as n,
        {{ measure }}_ended as n_ended,
        {{ measure }}_decided as n_decided
    from cells
    where {{ measure }} > 0
),

{{ thing }}_curve as (
    {{ survival_curve(thing ~ '_cells', ['group_number']) }}
),

{{ thing }}_summary as (
    {{ survival_summary(
        thing ~ '_curve', ['group_number'], {'median': 0.5, 'p90': 0.1}, shares
    ) }}
){{ ',' if not loop.last }}

{% endfor -%}

{% for thing, (measure, shares) in counted.items() -%}
select
    {% for key in group -%}
    groups.{{ key }},
    {% endfor -%}
    '{{ thing }}' as counted,
    coalesce(numbers.n, 0) as n,
    coalesce(numbers.n_ended, 0) as n_ended,
    coalesce(numbers.n_decided, 0) as n_decided,
    cast(groups.n_auto_closed as bigint) as n_auto_closed,
    cast(groups.n_skipped_twice as bigint) as n_skipped_twice,
    cast(groups.n_opened as bigint) as n_opened,
    groups.opened_seconds / cast(nullif(groups.n_opened, 0) as double) as opened_seconds_mean,
    {% for reason in left_out -%}
    cast(groups.n_{{ reason }} as bigint) as n_{{ reason }},
    {% endfor -%}
    {% for name in ['median', 'p90'] -%}
    {% for part in ['', '_ci_low', '_ci_high'] -%}
    numbers.{{ name }}{{ part }} as {{ name }}_seconds{{ part }},
    {% endfor -%}
    {% endfor -%}
    {% for name, seconds in horizons.items() -%}
    {% if name in shares -%}
    numbers.{{ name }},
    {% for side in ['low', 'high'] -%}
    {{ incidence_bound('numbers.' ~ name, 'numbers.n', side) }} as {{ name }}_ci_{{ side }},
    {% endfor -%}
    {% else -%}
    {% for part in ['', '_ci_low', '_ci_high'] -%}
    cast(null as double) as {{ name }}{{ part }},
    {% endfor -%}
    {% endif -%}
    coalesce(numbers.longest_seconds >= {{ seconds }} or numbers.survival_at_end = 0, false)
        as {{ name }}_is_reached,
    {% endfor -%}
    numbers.longest_seconds
from groups
left join {{ thing }}_summary as numbers on groups.group_number = numbers.group_number
{{ 'union all' if not loop.last }}
{% endfor %}
