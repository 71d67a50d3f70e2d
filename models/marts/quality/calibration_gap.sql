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

of_enough_people as (
    select
        *,
        {{ suppress_small_groups(
            'n_raters', ['measure', 'period_type', 'period_starts_on', 'dimension_name'],
            'dimension_value') }} as suppression_code
    from gaps
),

judged as (
    select
        *,
        -- A group of few would tell a colleague's own number.
        suppression_code is null as is_shown,
        case
            when n_ratings = 0 then 'no_ratings'
            when suppression_code is not null then suppression_code
            when n_ratings < {{ var('min_audits') }} then 'too_few_ratings'
            when standard_error is null or degrees_of_freedom < 2 then 'variance_unknown'
            when standard_error = 0 then 'no_variation'
        end as reason_code,
        {{ t_value('degrees_of_freedom') }} * standard_error as half_width
    from of_enough_people
)

select
    judged.measure,
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_name,
    judged.dimension_value,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    cast(judged.n_ratings as bigint) as n_ratings,
    cast(judged.n_items as bigint) as n_items,
    cast(judged.n_raters as bigint) as n_raters,
    cast(judged.n_not_rated as bigint) as n_not_rated,
    cast(judged.n_no_benchmark as bigint) as n_no_benchmark,
    case when judged.is_shown then judged.rater_mean end as rater_mean,
    case when judged.is_shown then judged.benchmark_mean end as benchmark_mean,
    case when judged.is_shown then judged.gap end as gap,
    case when judged.is_shown then judged.standard_error end as standard_error,
    case when judged.is_shown then judged.gap - judged.half_width end as ci_low,
    case when judged.is_shown then judged.gap + judged.half_width end as ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level
from judged
