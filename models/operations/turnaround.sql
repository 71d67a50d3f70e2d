{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set keys = ['metric_id', 'metric_version'] + group -%}
{#- Metric, and the column of the curves (quantiles and shares decided by then) that has it. -#}
{% set quantiles = {
    'turnaround_median': 'median',
    'turnaround_p90': 'p90',
    'item_turnaround_median': 'median',
    'item_turnaround_p90': 'p90',
} -%}
{% set shares = {'decided_within_1h': 'within_1h', 'decided_within_24h': 'within_24h'} -%}
{% set counts = [
    'n_ended', 'n_decided', 'n_auto_closed', 'n_skipped_twice', 'n_opened', 'n_job_made',
    'n_enqueued_after_as_of', 'n_decided_before_enqueued',
] -%}
{% set verdicts = ['n_met_by_auto_close', 'n_breached', 'n_not_due'] -%}

with curves as (
    select * from {{ ref('int_operations__curves') }}
),

ends as (
    {{ in_weeks_and_months(ref('int_operations__ends')) }}
),

metrics as (
    select
        metric_id,
        metric_version,
        case when metric_id like 'item%' then 'item' else 'job' end as counted
    from {{ ref('metrics') }}
    where mart = 'turnaround'
),

-- A number for each group: engines sort by it faster than by its names.
groups as (
    select
        {{ group | join(', ') }},
        row_number() over (order by {{ group | join(', ') }}) as group_number
    from curves
    where counted = 'job'
),

closed_by_wait as (
    select
        groups.group_number,
        ends.wait_seconds,
        sum(ends.n) as n
    from ends
    inner join groups on {{ same_keys('ends', 'groups', group) }}
    where ends.anchor = 'closed'
    group by groups.group_number, ends.wait_seconds
),

closed_ranked as (
    {{ ranked_counts('closed_by_wait', ['group_number']) }}
),

closed_only as (
    select
        group_number,
        cast(max(n_all) as bigint) as n_closed,
        {{ ranked_quantile(0.5) }} as median_seconds,
        {{ ranked_quantile(0.9) }} as p90_seconds
    from closed_ranked
    group by group_number
),

of_curves as (
    select
        curves.*,
        metrics.metric_id,
        metrics.metric_version,
        case metrics.metric_id
            {% for metric_id, name in quantiles.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}_seconds / 3600e0
            {% endfor -%}
            {% for metric_id, name in shares.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}
            {% endfor -%}
            when 'average_speed_to_open' then curves.opened_seconds_mean / 3600e0
        end as estimate,
        {% for side in ['low', 'high'] -%}
        case metrics.metric_id
            {% for metric_id, name in quantiles.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}_seconds_ci_{{ side }} / 3600e0
            {% endfor -%}
            {% for metric_id, name in shares.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}_ci_{{ side }}
            {% endfor -%}
        end as ci_{{ side }},
        {% endfor -%}
        case metrics.metric_id
            {% for metric_id, name in quantiles.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}_seconds is not null
            {% endfor -%}
            {% for metric_id, name in shares.items() -%}
            when '{{ metric_id }}' then curves.{{ name }}_is_reached
            {% endfor -%}
            else true
        end as is_reached,
        closed_only.n_closed,
        case metrics.metric_id
            when 'turnaround_median' then closed_only.median_seconds / 3600e0
            when 'turnaround_p90' then closed_only.p90_seconds / 3600e0
        end as closed_only_estimate
    from curves
    inner join metrics on curves.counted = metrics.counted and metrics.metric_id <> 'within_target'
    left join groups on {{ same_keys('curves', 'groups', group) }}
    left join closed_only on groups.group_number = closed_only.group_number
),

of_targets as (
    select
        {{ group | join(', ') }},
        {% for name in verdicts -%}
        cast(sum({{ name }}) as bigint) as {{ name }},
        {% endfor -%}
        cast(sum(n_met) as bigint) as n_met
    from ends
    where anchor = 'due'
    group by {{ group | join(', ') }}
),

measured as (
    select
        {{ keys | join(', ') }},
        case when metric_id = 'average_speed_to_open' then n_opened else n end as n,
        n - n_ended as n_open,
        {{ counts | join(', ') }},
        {% for name in verdicts -%}
        cast(null as bigint) as {{ name }},
        {% endfor -%}
        longest_seconds / 3600e0 as longest_hours,
        estimate,
        ci_low,
        ci_high,
        n_ended as n_ends,
        is_reached,
        {{ var('min_jobs') }} as minimum_n,
        case when closed_only_estimate is not null then n_closed end as n_closed,
        closed_only_estimate
    from of_curves
    union all
    select
        metrics.metric_id,
        metrics.metric_version,
        {% for key in group -%}
        of_targets.{{ key }},
        {% endfor -%}
        of_targets.n_met + of_targets.n_breached as n,
        cast(null as bigint) as n_open,
        {% for name in counts -%}
        cast(null as bigint) as {{ name }},
        {% endfor -%}
        {% for name in verdicts -%}
        of_targets.{{ name }},
        {% endfor -%}
        cast(null as double) as longest_hours,
        of_targets.n_met / cast(nullif(of_targets.n_met + of_targets.n_breached, 0) as double)
            as estimate,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        cast(null as bigint) as n_ends,
        true as is_reached,
        0 as minimum_n,
        cast(null as bigint) as n_closed,
        cast(null as double) as closed_only_estimate
    from of_targets
    inner join metrics on metrics.metric_id = 'within_target'
),

accuracy as (
    select * from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1
        and dimension_name in ('overall', 'queue', 'language')
),

judged as (
    select
        *,
        {{ reason_code(['has_none', 'minimum_n', 'n_ends', 'is_reached']) }} as reason_code
    from (
        select
            *,
            n = 0 as has_none,
            case when n_closed >= {{ var('min_jobs') }} then closed_only_estimate end
                as shown_closed_only
        from measured
    ) as counted
)

-- Of few jobs there is no estimate; nor is there one of a wait that none has been seen to have.
select
    {% for key in keys -%}
    judged.{{ key }},
    {% endfor -%}
    {{ period_end() | replace('period_', 'judged.period_') }} as period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.n,
    judged.n_open,
    {% for name in counts + verdicts -%}
    judged.{{ name }},
    {% endfor -%}
    {% for name in ['estimate', 'ci_low', 'ci_high'] -%}
    case when judged.reason_code is null then judged.{{ name }} end as {{ name }},
    {% endfor -%}
    judged.longest_hours,
    judged.n_closed,
    judged.shown_closed_only as closed_only_estimate,
    case when judged.reason_code is null then judged.estimate - judged.shown_closed_only end
        as closed_only_difference,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    {{ accuracy_beside('judged') }}
from judged
left join accuracy on {{ same_keys('judged', 'accuracy', group) }}
