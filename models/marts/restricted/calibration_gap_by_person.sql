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
        case
            when n_ratings = 0 then 'no_ratings'
            when n_ratings < {{ var('min_audits') }} then 'too_few_ratings'
            when standard_error is null or degrees_of_freedom < 2 then 'variance_unknown'
            when standard_error = 0 then 'no_variation'
        end as reason_code,
        {{ t_value('degrees_of_freedom') }} * standard_error as half_width
    from gaps
)

select
    judged.measure,
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_value as rater_key,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.n_ratings >= {{ var('min_effective_n_to_rank') }} as is_rankable,
    cast(judged.n_ratings as bigint) as n_ratings,
    cast(judged.n_items as bigint) as n_items,
    cast(judged.n_not_rated as bigint) as n_not_rated,
    cast(judged.n_no_benchmark as bigint) as n_no_benchmark,
    judged.rater_mean,
    judged.benchmark_mean,
    judged.gap,
    judged.standard_error,
    judged.gap - judged.half_width as ci_low,
    judged.gap + judged.half_width as ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level
from judged
