{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{#- Of few people none of it is shown. -#}
{% set own = [
    'n_skips', 'skip_rate', 'n_person_days', 'n_productive_days', 'hours_coverage',
    'decisions_per_hour', 'utilisation', 'shrinkage', 'occupancy', 'wellness_share',
    'n_wellness_days',
] -%}
{% set handling = [
    'n_measured', 'share_measured', 'n_capped', 'n_zero', 'handling_seconds_median',
    'handling_seconds_mean', 'handling_seconds_p90',
] -%}
{% set has_accuracy = ' and accuracy_of is not null' -%}
{% set speed = ['decisions_per_hour', 'occupancy'] + handling[4:] -%}

with work as (
    select * from {{ ref('int_operations__work') }}
),

hours as (
    select * from {{ ref('int_operations__hours') }}
),

handling as (
    select * from {{ ref('int_operations__handling') }}
),

suppressed as (
    select
        period_type,
        period_starts_on,
        case
            when basis = 'workload' and dimension_name = 'policy' then 'reported_policy'
            else dimension_name
        end as dimension_name,
        dimension_value,
        suppression_code
    from {{ ref('int_people__suppressed_groups') }}
    where
        (basis = 'workload' and dimension_name in ('overall', 'queue', 'language', 'policy'))
        or (basis = 'accuracy' and dimension_name in ('site', 'vendor'))
),

-- Of people's decisions where there is a rate of these alone.
accuracy as (
    select
        period_type,
        period_starts_on,
        case dimension_name
            when 'decided_by' then 'overall'
            when 'queue_and_decider' then 'queue'
            else dimension_name
        end as dimension_name,
        case dimension_name
            when 'decided_by' then 'all'
            when 'queue_and_decider' then replace(dimension_value, ' | human', '')
            else dimension_value
        end as dimension_value,
        case when dimension_name = 'language' then 'all' else 'human' end as accuracy_of,
        n,
        estimate,
        ci_low,
        ci_high,
        is_reportable,
        reason_code
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1
        and period_type in ('week', 'month')
        and (
            (dimension_name = 'decided_by' and dimension_value = 'human')
            or (dimension_name = 'queue_and_decider' and dimension_value like '% | human')
            or dimension_name in ('site', 'vendor', 'language')
        )
),

bulk_days as (
    select
        decided_on,
        dimension_name,
        dimension_value,
        n_decisions
    from {{ ref('accuracy_decisions_by_day') }}
    where
        exclusion_reason = 'automatic_close'
        and dimension_name in ('overall', 'queue', 'language')
),

bulk as (
    select
        {{ group | join(', ') }},
        sum(n_decisions) as n_auto_closed
    from ({{ by_period('bulk_days', 'decided_on') }}) as in_periods
    group by {{ group | join(', ') }}
),

measured as (
    select
        work.*,
        suppressed.suppression_code,
        case
            when work.dimension_name in ('overall', 'queue', 'language')
                then coalesce(bulk.n_auto_closed, 0)
        end as n_auto_closed,
        work.n_skips / cast(nullif(work.n_skips + work.n_closings, 0) as double) as skip_rate,
        work.n_measured / cast(nullif(work.n_decisions, 0) as double) as share_measured,
        work.handling_seconds / nullif(work.n_measured, 0) as handling_seconds_mean,
        handling.handling_seconds_median,
        handling.handling_seconds_p90,
        hours.n_person_days,
        hours.n_productive_days,
        hours.n_wellness_days,
        hours.n_decisions_in_hours / cast(nullif(work.n_decisions, 0) as double) as hours_coverage,
        hours.n_decisions_in_hours * 3600e0 / nullif(hours.decided_in_seconds, 0)
            as decisions_per_hour,
        hours.utilised_seconds / cast(nullif(hours.utilised_paid_seconds, 0) as double)
            as utilisation,
        1 - hours.utilised_seconds / cast(nullif(hours.utilised_paid_seconds, 0) as double)
            as shrinkage,
        hours.handled_seconds / nullif(hours.occupied_seconds, 0) as occupancy,
        hours.wellness_seconds / cast(nullif(hours.wellness_paid_seconds, 0) as double)
            as wellness_share,
        accuracy.accuracy_of,
        {{ accuracy_beside('work') }}
    from work
    left join bulk on {{ same_keys('work', 'bulk', group) }}
    left join hours on {{ same_keys('work', 'hours', group) }}
    left join handling on {{ same_keys('work', 'handling', group) }}
    left join accuracy on {{ same_keys('work', 'accuracy', group) }}
    left join suppressed on {{ same_keys('work', 'suppressed', group) }}
)

-- Speed is shown with accuracy, or not at all.
select
    {{ group | join(',\n    ') }},
    {{ period_end() }} as period_ends_on,
    suppression_code as reason_code,
    {% for name in ['n_decisions', 'n_closings'] -%}
    case when {{ work_is_shown() }} then {{ name }} end as {{ name }},
    {% endfor -%}
    cast(n_auto_closed as bigint) as n_auto_closed,
    {% for name in handling + own -%}
    case
        when suppression_code is null{{ has_accuracy if name in speed }} then {{ name }}
    end as {{ name }},
    {% endfor -%}
    accuracy_of,
    accuracy_n,
    accuracy_estimate,
    accuracy_ci_low,
    accuracy_ci_high,
    accuracy_is_reportable,
    accuracy_reason_code,
    cast({{ var('confidence_level') }} as double) as confidence_level
from measured
