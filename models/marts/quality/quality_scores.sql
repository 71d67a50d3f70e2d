{% set keys = [
    'score_of', 'category_id', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on',
] %}
{% set by = keys | join(', ') %}

with ratings as (
    select *
    from {{ ref('int_scores__ratings') }}
    where decided_on is not null
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

grouped as (
    {{ by_period_and_dimension('ratings', 'decided_on', [
        'score_of', 'category_id', 'exclusion_reason', 'is_automatic_fail', 'score',
        'score_without_fails', 'stratum_key', 'weight',
    ], reporting_dimensions()) }}
),

excluded_by_reason as (
    select
        {{ by }},
        concat(exclusion_reason, '=', cast(count(*) as string)) as reason_and_count,
        count(*) as n_excluded
    from grouped
    where exclusion_reason is not null
    group by {{ by }}, exclusion_reason
),

excluded as (
    select
        {{ by }},
        sum(n_excluded) as n_excluded,
        {{ joined_text('reason_and_count') }} as excluded_by_reason
    from excluded_by_reason
    group by {{ by }}
),

means as (
    select
        {{ by }},
        count(case when exclusion_reason is null then 1 end) as n_reviews,
        sum(case when exclusion_reason is null and is_automatic_fail then 1 else 0 end)
            as n_automatic_fails,
        {{ exact_sum('case when exclusion_reason is null then score end') }}
        / nullif(count(case when exclusion_reason is null then 1 end), 0) as score,
        {{ exact_sum('case when exclusion_reason is null then score_without_fails end') }}
        / nullif(count(case when exclusion_reason is null then 1 end), 0)
            as score_without_fails,
        count(case when exclusion_reason is null then weight end) as n_weighted,
        {{ exact_sum('case when exclusion_reason is null then weight end') }} as weight_sum,
        {{ exact_sum('case when exclusion_reason is null then weight * score end') }}
        / nullif({{ exact_sum('case when exclusion_reason is null then weight end') }}, 0)
            as weighted_score
    from grouped
    group by {{ by }}
),

deviations as (
    select
        {% for key in keys -%}
        grouped.{{ key }},
        {% endfor -%}
        strata.variance_stratum_key,
        strata.variance_factor,
        strata.n_variance_audits,
        grouped.score - means.score as deviation,
        grouped.score_without_fails - means.score_without_fails as deviation_without_fails,
        grouped.weight * (grouped.score - means.weighted_score) / means.weight_sum as residual
    from grouped
    inner join means on {{ same_keys('grouped', 'means', keys) }}
    left join strata on grouped.weight is not null and grouped.stratum_key = strata.stratum_key
    where grouped.exclusion_reason is null
),

spreads as (
    select
        {{ by }},
        sqrt(
            {{ exact_sum('deviation * deviation') }} / nullif(count(*) - 1, 0) / count(*)
        ) as standard_error,
        sqrt(
            {{ exact_sum('deviation_without_fails * deviation_without_fails') }}
            / nullif(count(*) - 1, 0) / count(*)
        ) as standard_error_without_fails
    from deviations
    group by {{ by }}
),

residuals as (
    select
        {{ by }},
        variance_stratum_key,
        max(variance_factor) as variance_factor,
        max(n_variance_audits) as n_variance_audits,
        {{ exact_sum('residual', 100) }} as u_weighted,
        {{ exact_sum('residual * residual', 100) }} as uu_weighted
    from deviations
    where residual is not null
    group by {{ by }}, variance_stratum_key
),

weighted_spreads as (
    select
        {{ by }},
        sqrt({{ variance_sum('weighted') }}) as weighted_standard_error
    from residuals
    group by {{ by }}
),

reviewed as (
    select distinct
        period_type,
        period_starts_on,
        period_ends_on,
        dimension_name,
        dimension_value
    from means
    where n_reviews > 0
),

head_counts as (
    {{ head_counts('reviewed', 'roster') }}
),

judged as (
    select
        means.*,
        head_counts.few_people_code is null as is_shown,
        coalesce(excluded.n_excluded, 0) as n_excluded,
        excluded.excluded_by_reason,
        spreads.standard_error,
        spreads.standard_error_without_fails,
        weighted_spreads.weighted_standard_error,
        case
            when means.n_reviews = 0 then 'no_reviews'
            when head_counts.few_people_code is not null then head_counts.few_people_code
            when means.n_reviews < {{ var('min_audits') }} then 'too_few_audits'
            when spreads.standard_error = 0 then 'no_variation'
        end as reason_code
    from means
    left join excluded on {{ same_keys('means', 'excluded', keys) }}
    left join spreads on {{ same_keys('means', 'spreads', keys) }}
    left join weighted_spreads on {{ same_keys('means', 'weighted_spreads', keys) }}
    left join head_counts
        on
            means.period_type = head_counts.period_type
            and means.period_starts_on = head_counts.period_starts_on
            and means.dimension_name = head_counts.dimension_name
            and means.dimension_value = head_counts.dimension_value
),

shown as (
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        {% for name in [
            'n_automatic_fails', 'n_weighted', 'score', 'standard_error', 'score_without_fails',
            'standard_error_without_fails', 'weighted_score', 'weighted_standard_error',
        ] -%}
        case when is_shown then {{ name }} end as {{ name }},
        {% endfor -%}
        reason_code,
        n_reviews,
        n_excluded,
        excluded_by_reason
    from judged
)

select
    shown.score_of,
    shown.category_id,
    shown.period_type,
    shown.period_starts_on,
    shown.dimension_name,
    shown.dimension_value,
    shown.period_ends_on,
    shown.reason_code is null as is_reportable,
    shown.reason_code,
    cast(shown.n_reviews as bigint) as n_reviews,
    cast(shown.n_automatic_fails as bigint) as n_automatic_fails,
    cast(shown.n_weighted as bigint) as n_weighted,
    cast(shown.n_excluded as bigint) as n_excluded,
    shown.excluded_by_reason,
    shown.score,
    shown.standard_error,
    {{ mean_bound('shown.score', 'shown.standard_error', 'low') }} as ci_low,
    {{ mean_bound('shown.score', 'shown.standard_error', 'high') }} as ci_high,
    shown.score_without_fails,
    shown.standard_error_without_fails,
    {{ mean_bound(
        'shown.score_without_fails', 'shown.standard_error_without_fails', 'low') }}
        as ci_low_without_fails,
    {{ mean_bound(
        'shown.score_without_fails', 'shown.standard_error_without_fails', 'high') }}
        as ci_high_without_fails,
    shown.weighted_score,
    shown.weighted_standard_error,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from shown
cross join as_of
