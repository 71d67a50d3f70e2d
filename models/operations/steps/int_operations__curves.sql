{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set keys = ['counted'] + group -%}
{% set horizons = {'within_1h': 3600, 'within_24h': 86400} -%}
{% set left_out = ['job_made', 'enqueued_after_as_of', 'decided_before_enqueued'] -%}

with waits as (
    {{ in_weeks_and_months(ref('int_operations__waits')) }}
),

cells as (
    {% for counted, measure in {'job': 'n', 'item': 'n_items'}.items() -%}
    select
        '{{ counted }}' as counted,
        {{ group | join(', ') }},
        wait_seconds,
        sum({{ measure }}) as n,
        sum({{ measure }}_ended) as n_ended,
        sum({{ measure }}_decided) as n_decided
    from waits
    where wait_seconds is not null
    group by {{ group | join(', ') }}, wait_seconds
    having sum({{ measure }}) > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

curve as (
    {{ survival_curve('cells', keys) }}
),

curves as (
    {{ survival_summary(
        'curve', keys, {'median': 0.5, 'p90': 0.1}, horizons
    ) }}
),

counts as (
    select
        {{ group | join(', ') }},
        sum(n_auto_closed) as n_auto_closed,
        sum(n_skipped_twice) as n_skipped_twice,
        sum(opened_seconds) as opened_seconds,
        {% for reason in left_out -%}
        sum({{ reason }}) as n_{{ reason }},
        {% endfor -%}
        sum(n_opened) as n_opened
    from waits
    group by {{ group | join(', ') }}
)

select
    {% for key in group -%}
    counts.{{ key }},
    {% endfor -%}
    counted.counted,
    coalesce(curves.n, 0) as n,
    coalesce(curves.n_ended, 0) as n_ended,
    coalesce(curves.n_decided, 0) as n_decided,
    cast(counts.n_auto_closed as bigint) as n_auto_closed,
    cast(counts.n_skipped_twice as bigint) as n_skipped_twice,
    cast(counts.n_opened as bigint) as n_opened,
    counts.opened_seconds / cast(nullif(counts.n_opened, 0) as double) as opened_seconds_mean,
    {% for reason in left_out -%}
    cast(counts.n_{{ reason }} as bigint) as n_{{ reason }},
    {% endfor -%}
    {% for name in ['median', 'p90'] -%}
    {% for part in ['', '_ci_low', '_ci_high'] -%}
    curves.{{ name }}{{ part }} as {{ name }}_seconds{{ part }},
    {% endfor -%}
    {% endfor -%}
    {% for name, seconds in horizons.items() -%}
    curves.{{ name }},
    {% for side in ['low', 'high'] -%}
    {{ incidence_bound('curves.' ~ name, 'curves.n', side) }} as {{ name }}_ci_{{ side }},
    {% endfor -%}
    coalesce(curves.longest_seconds >= {{ seconds }} or curves.survival_at_end = 0, false)
        as {{ name }}_is_reached,
    {% endfor -%}
    curves.longest_seconds
from counts
cross join (values ('job'), ('item')) as counted (counted)
left join curves
    on {{ same_keys('counts', 'curves', group) }} and counted.counted = curves.counted
