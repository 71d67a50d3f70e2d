{% set keys = ['period_type', 'period_starts_on', 'dimension_value', 'period_ends_on'] %}

with verdicts as (
    select *
    from {{ ref('int_verdicts__audits') }}
    where
        sampling_method <> 'benchmark'
        and found_error_class is not null
        and auditor_key is not null
        and {{ near_days_to_build('rated_by_quarter', 'audited_on') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

grouped as (
    {{ by_period_and_dimension(
        'verdicts', 'audited_on', {'auditor': 'auditor_key'}, day_set='rated_by_quarter',
        types=rare_period_types()) }}
),

counted as (
    {{ benchmark_agreement('grouped', keys) }}
),

judged as (
    select
        *,
        case
            when n_benchmarked = 0 then 'no_benchmarks'
            when n_benchmarked < {{ var('min_audits') }} then 'too_few_audits'
        end as reason_code,
        case
            when n_benchmark_correct = 0 then 'no_benchmarks'
            when n_benchmark_correct < {{ var('min_audits') }} then 'too_few_audits'
        end as false_alarm_reason_code,
        case
            when n_benchmark_wrong = 0 then 'no_benchmarks'
            when n_benchmark_wrong < {{ var('min_audits') }} then 'too_few_audits'
        end as missed_error_reason_code
    from counted
)

select
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_value as auditor_key,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.false_alarm_reason_code,
    judged.missed_error_reason_code,
    judged.n_benchmarked >= {{ var('min_effective_n_to_rank') }} as is_rankable,
    judged.n_audits,
    judged.n_benchmarked,
    judged.n_same_finding,
    judged.n_benchmark_correct,
    judged.n_benchmark_wrong,
    judged.n_false_alarms,
    judged.n_missed_errors,
    {{ share_with_interval('judged.n_same_finding', 'judged.n_benchmarked', 'accuracy') }},
    {{ share_with_interval(
        'judged.n_false_alarms', 'judged.n_benchmark_correct', 'false_alarm_rate') }},
    {{ share_with_interval(
        'judged.n_missed_errors', 'judged.n_benchmark_wrong', 'missed_error_rate') }},
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from judged
cross join as_of
