with rates as (
    select *
    from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy' and metric_version = 1 and period_type in ('week', 'month')
),

-- The audits that a rate may be made of, each beside its benchmark; after disputes, as the rate.
benchmarked as (
    select *
    from {{ ref('int_verdicts__audits') }}
    where
        benchmark_audit_id is not null
        and error_class is not null
        and coalesce(exclusion_reason, 'no_frame') = 'no_frame'
),

known as (
    select
        count(*) as n_benchmarked,
        coalesce(sum(case when benchmark_error_class = 'correct' then 1 else 0 end), 0)
            as n_benchmark_correct,
        coalesce(sum(case when benchmark_error_class <> 'correct' then 1 else 0 end), 0)
            as n_benchmark_wrong,
        coalesce(sum(
            case
                when benchmark_error_class = 'correct' and error_class = 'correct' then 1
                else 0
            end
        ), 0) as n_confirmed,
        coalesce(sum(
            case
                when benchmark_error_class <> 'correct' and error_class <> 'correct' then 1
                else 0
            end
        ), 0) as n_detected
    from benchmarked
),

inputs as (
    select
        rates.metric_version,
        rates.period_type,
        rates.period_starts_on,
        rates.dimension_name,
        rates.dimension_value,
        rates.period_ends_on,
        rates.reason_code as accuracy_reason_code,
        rates.n,
        rates.n_people,
        rates.effective_n,
        rates.coverage_rate,
        least(known.n_benchmark_correct, known.n_benchmark_wrong) as n_benchmarks,
        rates.estimate as p,
        rates.standard_error as p_standard_error,
        rates.ci_low as p_ci_low,
        rates.ci_high as p_ci_high,
        rates.estimate as accuracy,
        rates.ci_low as accuracy_ci_low,
        rates.ci_high as accuracy_ci_high,
        known.n_benchmarked,
        known.n_benchmark_correct,
        known.n_benchmark_wrong,
        known.n_confirmed,
        known.n_detected,
        known.n_benchmark_correct as sensitivity_n,
        known.n_confirmed / cast(nullif(known.n_benchmark_correct, 0) as double) as sensitivity,
        known.n_benchmark_wrong as specificity_n,
        known.n_detected / cast(nullif(known.n_benchmark_wrong, 0) as double) as specificity
    from rates
    cross join known
),

corrected as (
    {{ corrected_share('inputs') }}
),

compared as (
    select
        *,
        estimate - accuracy as difference
    from corrected
)

{{ publish_rate(
    'compared',
    [
        'metric_version', 'period_type', 'period_starts_on', 'dimension_name', 'dimension_value',
        'period_ends_on', 'is_clipped', 'n_benchmarked', 'n_benchmark_correct',
        'n_benchmark_wrong', 'n_confirmed', 'n_detected', 'accuracy', 'accuracy_ci_low',
        'accuracy_ci_high', 'sensitivity', 'sensitivity_ci_low', 'sensitivity_ci_high',
        'specificity', 'specificity_ci_low', 'specificity_ci_high', 'informativeness',
        'difference',
    ],
    asked=['n_benchmarks', 'informativeness', 'accuracy_reason_code'],
    without=['standard_error_reason'],
) }}
