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

grouped as (
    {{ by_period_and_dimension(
        'pairs', 'rated_on', dimensions, types=rare_period_types()) }}
),

gaps as (
    {{ mean_gap('grouped', keys) }}
),

judged as (
    select
        *,
        {{ var('min_audits') }} as minimum_n,
        -- A group of few would tell a colleague's own number.
        {{ suppress_small_groups(
            'n_people', ['measure', 'period_type', 'period_starts_on', 'dimension_name'],
            'dimension_value') }} as suppression_code
    from gaps
),

published as (
    {{ publish_rate(
        'judged',
        keys + ['n_items', 'n_not_rated', 'n_no_benchmark'],
        asked=['suppression_code', 'n', 'minimum_n', 'variance_known', 'standard_error'],
        values=['rater_mean', 'benchmark_mean'],
        without=['effective_n', 'coverage_rate', 'standard_error_reason'],
    ) }}
)

select
    measure,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    period_ends_on,
    is_reportable,
    reason_code,
    n_people,
    n,
    cast(n_items as bigint) as n_items,
    cast(n_not_rated as bigint) as n_not_rated,
    cast(n_no_benchmark as bigint) as n_no_benchmark,
    rater_mean,
    benchmark_mean,
    estimate,
    standard_error,
    ci_low,
    ci_high,
    confidence_level
from published
