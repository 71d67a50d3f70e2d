{% set dimensions = person_dimensions() %}
{% do dimensions.update({
    'rater_role': "coalesce(rater_role, 'unknown')",
    'policy': 'benchmark_policy_id',
}) %}
{% set keys = [
    'measure', 'period_type', 'period_starts_on', 'dimension_name', 'dimension_value',
    'period_ends_on',
] %}

with pairs as (
    select * from {{ ref('int_calibration__pairs') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'calibration'
),

grouped as (
    {{ by_period_and_dimension(
        'pairs', 'rated_on', dimensions, types=rare_period_types()) }}
),

gaps as (
    {{ mean_gap('grouped', keys) }}
),

judged as (
    select
        gaps.*,
        suppressed.suppression_code,
        {{ var('min_audits') }} as minimum_n
    from gaps
    left join suppressed on {{ same_keys('gaps', 'suppressed', keys[1:5]) }}
)

{{ publish_rate(
    'judged',
    keys,
    asked=['suppression_code', 'n', 'minimum_n', 'variance_known', 'standard_error'],
    values=['n_items', 'n_not_rated', 'n_no_benchmark', 'rater_mean', 'benchmark_mean'],
    without=['effective_n', 'coverage_rate', 'standard_error_reason'],
) }}
