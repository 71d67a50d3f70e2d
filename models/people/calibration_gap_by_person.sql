{% set keys = [
    'measure', 'period_type', 'period_starts_on', 'dimension_value', 'period_ends_on',
] %}

with pairs as (
    select *
    from {{ ref('int_calibration__pairs') }}
    where rater_key is not null
),

grouped as (
    {{ by_period_and_dimension(
        'pairs', 'rated_on', {'rater': 'rater_key'}, types=rare_period_types()) }}
),

gaps as (
    {{ mean_gap('grouped', keys) }}
),

judged as (
    select
        *,
        dimension_value as rater_key,
        n >= {{ var('min_effective_n_to_rank') }} as is_rankable,
        {{ var('min_audits') }} as minimum_n
    from gaps
)

{{ publish_rate(
    'judged',
    [
        'measure', 'period_type', 'period_starts_on', 'rater_key', 'period_ends_on', 'is_rankable',
        'n_items', 'n_not_rated', 'n_no_benchmark',
    ],
    asked=['n', 'minimum_n', 'variance_known', 'standard_error'],
    values=['rater_mean', 'benchmark_mean'],
    without=['effective_n', 'coverage_rate', 'standard_error_reason'],
) }}
