{% set keys = [
    'period_type', 'period_starts_on', 'dimension_name', 'dimension_value', 'period_ends_on',
] %}

with verdicts as (
    select *
    from {{ ref('int_verdicts__audits') }}
    where
        sampling_method <> 'benchmark'
        and found_error_class is not null
        and {{ near_days_to_build('rated_by_quarter', 'audited_on') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

grouped as (
    {{ by_period_and_dimension(
        'verdicts', 'audited_on', auditor_dimensions(), day_set='rated_by_quarter',
        types=rare_period_types()) }}
),

counted as (
    {{ benchmark_agreement('grouped', keys) }}
),

of_enough_people as (
    select
        *,
        {{ few_people(
            'n_auditors', ['period_type', 'period_starts_on', 'dimension_name'],
            'dimension_value') }} as few_people_code
    from counted
),

judged as (
    select
        *,
        -- A group of few would tell a colleague's own number.
        few_people_code is null as is_shown,
        case
            when n_benchmarked = 0 then 'no_benchmarks'
            when few_people_code is not null then few_people_code
            when n_benchmarked < {{ var('min_audits') }} then 'too_few_audits'
        end as reason_code,
        case
            when n_benchmark_correct = 0 then 'no_benchmarks'
            when few_people_code is not null then few_people_code
            when n_auditors_of_correct < {{ var('min_people') }} then 'too_few_people'
            when n_benchmark_correct < {{ var('min_audits') }} then 'too_few_audits'
        end as false_alarm_reason_code,
        case
            when n_benchmark_wrong = 0 then 'no_benchmarks'
            when few_people_code is not null then few_people_code
            when n_auditors_of_wrong < {{ var('min_people') }} then 'too_few_people'
            when n_benchmark_wrong < {{ var('min_audits') }} then 'too_few_audits'
        end as missed_error_reason_code
    from of_enough_people
)

select
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_name,
    judged.dimension_value,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.false_alarm_reason_code,
    judged.missed_error_reason_code,
    judged.n_auditors,
    judged.n_audits,
    judged.n_benchmarked,
    case when judged.is_shown then judged.n_same_finding end as n_same_finding,
    case when judged.is_shown then judged.n_benchmark_correct end as n_benchmark_correct,
    case when judged.is_shown then judged.n_benchmark_wrong end as n_benchmark_wrong,
    case when judged.is_shown then judged.n_false_alarms end as n_false_alarms,
    case when judged.is_shown then judged.n_missed_errors end as n_missed_errors,
    {{ share_with_interval(
        'judged.n_same_finding', 'judged.n_benchmarked', 'accuracy', 'judged.is_shown') }},
    {{ share_with_interval(
        'judged.n_false_alarms', 'judged.n_benchmark_correct', 'false_alarm_rate',
        'judged.is_shown') }},
    {{ share_with_interval(
        'judged.n_missed_errors', 'judged.n_benchmark_wrong', 'missed_error_rate',
        'judged.is_shown') }},
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from judged
cross join as_of
