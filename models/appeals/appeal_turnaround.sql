{% set group = [
    'appellant', 'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name',
    'dimension_value',
] -%}
{% set shown = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set counts = ['n', 'n_answered', 'n_withdrawn', 'n_pending', 'n_left_out'] -%}
{% set of_set = ['metric_id'] + shown[:3] -%}

{% set hours = [] -%}
{% for part in ['', '_ci_low', '_ci_high'] -%}
{% do hours.append('case when metrics.is_p90 then curves.p90' ~ part ~ ' else curves.median' ~ part
    ~ ' end / 3600e0 as hours' ~ part) -%}
{% endfor -%}

with waits as (
    select * from {{ ref('int_appeals__waits') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
),

metrics as (
    select
        metric_id,
        metric_version,
        case when metric_id like 'notifier%' then 'notifier' else 'affected' end as appellant,
        metric_id like '%_p90' as is_p90
    from {{ ref('metrics') }}
    where mart = 'appeal_turnaround'
),

-- A number for each group: engines sort by it faster than by its names.
counted as (
    select
        {{ group | join(', ') }},
        row_number() over (order by {{ group | join(', ') }}) as group_number,
        {% for name in counts -%}
        cast(sum(case when anchor = 'filed_at' then {{ name }} else 0 end) as bigint) as {{ name }},
        {% endfor -%}
        cast(sum(case when anchor = 'answered_at' then n else 0 end) as bigint)
            as n_decided_in_period,
        cast(sum(n_notified) as bigint) as n_notified
    from waits
    group by {{ group | join(', ') }}
),

numbered_waits as (
    select
        counted.group_number,
        waits.anchor,
        waits.wait_seconds,
        waits.n,
        waits.n_answered
    from waits
    inner join counted on {{ same_keys('waits', 'counted', group) }}
),

-- An answer ends the wait. Who withdraws no longer waits, and was not answered: seen until then.
cells as (
    select
        group_number,
        wait_seconds,
        n,
        n_answered as n_ended,
        n_answered as n_decided
    from numbered_waits
    where anchor = 'filed_at' and n > 0
),

curve as (
    {{ survival_curve('cells', ['group_number']) }}
),

curves as (
    {{ survival_summary('curve', ['group_number'], {'median': 0.5, 'p90': 0.1}, {}) }}
),

answered as (
    select
        group_number,
        wait_seconds,
        n
    from numbered_waits
    where anchor = 'answered_at'
),

ranked as (
    {{ ranked_counts('answered', ['group_number']) }}
),

decided_only as (
    select
        group_number,
        {{ ranked_quantile(0.5) }} as median_seconds,
        {{ ranked_quantile(0.9) }} as p90_seconds
    from ranked
    group by group_number
),

measured as (
    select
        metrics.metric_id,
        metrics.metric_version,
        {% for key in group[1:] -%}
        counted.{{ key }},
        {% endfor -%}
        {% for name in counts + ['n_decided_in_period', 'n_notified'] -%}
        counted.{{ name }},
        {% endfor -%}
        counted.n_answered as n_ends,
        {{ var('min_appeals') }} as minimum_n,
        {{ hours | join(',
        ') }},
        curves.longest_seconds / 3600e0 as longest_hours,
        case
            when counted.n_decided_in_period < {{ var('min_appeals') }} then null
            when metrics.is_p90 then decided_only.p90_seconds
            else decided_only.median_seconds
        end / 3600e0 as decided_only_hours,
        coalesce(of_filing.suppression_code, of_answer.suppression_code) as own_code
    from counted
    inner join metrics on counted.appellant = metrics.appellant
    left join curves on counted.group_number = curves.group_number
    left join decided_only on counted.group_number = decided_only.group_number
    {% for name, anchor in {'of_filing': 'filed_at', 'of_answer': 'answered_at'}.items() -%}
    left join suppressed as {{ name }}
        on
            {{ same_keys('counted', name, shown) }}
            and {{ name }}.basis = {{ appeal_basis('counted.appellant', "'" ~ anchor ~ "'") }}
    {% endfor -%}
),

numbered as (
    select
        *,
        n = 0 as has_none,
        hours is not null as is_reached,
        sum(case when own_code is not null then 1 else 0 end)
            over (partition by {{ of_set | join(', ') }}) as n_withheld,
        row_number() over (
            partition by {{ of_set | join(', ') }}, own_code is null
            order by case when n > 0 then 0 else 1 end asc, n asc, dimension_value asc
        ) as place_by_size
    from measured
),

-- A group may be listed alone, for what other periods tell: with one more, no total tells of it.
withheld as (
    select
        *,
        case
            when own_code is not null then own_code
            when n_withheld = 1 and place_by_size = 1 then 'suppressed_complementary'
        end as suppression_code
    from numbered
),

judged as (
    select
        *,
        {{ reason_code(['suppression_code', 'has_none', 'minimum_n', 'n_ends', 'is_reached']) }}
            as reason_code
    from withheld
)

select
    metric_id,
    metric_version,
    {{ shown | join(', ') }},
    period_ends_on,
    reason_code is null as is_reportable,
    reason_code,
    {% for name in counts -%}
    case when suppression_code is null then {{ name }} end as {{ name }},
    {% endfor -%}
    case when reason_code is null then hours end as estimate,
    case when reason_code is null then hours_ci_low end as ci_low,
    case when reason_code is null then hours_ci_high end as ci_high,
    case when suppression_code is null then longest_hours end as longest_wait_hours,
    case when suppression_code is null then n_decided_in_period end as n_decided_in_period,
    case when suppression_code is null then n_notified end as n_notified,
    case when suppression_code is null then decided_only_hours end as decided_only_estimate,
    case when reason_code is null then hours - decided_only_hours end as decided_only_difference,
    cast({{ var('confidence_level') }} as double) as confidence_level
from judged
