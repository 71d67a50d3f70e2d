{% set keys = [
    'score_of', 'category_id', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on',
] %}
{% set by = keys | join(', ') %}
{% set of_period = keys[2:6] | join(', ') %}
{% set reasons = ['nothing_rated', 'not_applicable', 'not_rated'] %}

with ratings as (
    select
        *,
        case
            when exclusion_reason is null and weight is not null
                then concat(score_of, '|', category_id, '|', stratum_key)
        end as scored_stratum_key
    from {{ ref('int_scores__ratings') }}
    where decided_on is not null
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

days as (
    select *
    from {{ ref('accuracy_decisions_by_day') }}
    where exclusion_reason is null
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'scores'
),

-- Not every audit has a scorecard, nor every scorecard a rating of each category: those that have
-- one stand for their stratum.
scored_strata as (
    select
        ratings.score_of,
        ratings.category_id,
        ratings.scored_stratum_key as stratum_key,
        strata.stratum_key as frame_stratum_key,
        concat(ratings.score_of, '|', ratings.category_id, '|', strata.design_key) as design_key,
        strata.queue_id as queue_key,
        strata.population_size,
        count(*) as n_audits
    from ratings
    inner join strata on ratings.stratum_key = strata.stratum_key
    where ratings.scored_stratum_key is not null
    group by
        ratings.score_of,
        ratings.category_id,
        ratings.scored_stratum_key,
        strata.stratum_key,
        strata.design_key,
        strata.queue_id,
        strata.population_size
),

design as (
    {{ sampling_design('scored_strata') }}
),

-- By day and dimension value first: single ratings are read once, periods are made of these.
cells_of_days as (
    select
        ratings.score_of,
        ratings.category_id,
        ratings.decided_on,
        dimensions.dimension_name,
        {{ value_of_dimension(reporting_dimensions()) }} as dimension_value,
        ratings.exclusion_reason,
        ratings.scored_stratum_key,
        count(*) as n,
        sum(case when ratings.is_automatic_fail then 1 else 0 end) as n_automatic_fails,
        {{ moments('ratings.score', 'score') }},
        {{ moments('ratings.score_without_fails', 'score_without_fails') }}
    from ratings
    cross join (
        values {% for name in reporting_dimensions() -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as dimensions (dimension_name)
    group by
        ratings.score_of,
        ratings.category_id,
        ratings.decided_on,
        dimensions.dimension_name,
        {{ value_of_dimension(reporting_dimensions()) }},
        ratings.exclusion_reason,
        ratings.scored_stratum_key
),

grouped as (
    {{ by_period('cells_of_days', 'decided_on') }}
),

cells as (
    select
        {{ by }},
        exclusion_reason,
        scored_stratum_key as stratum_key,
        cast(sum(n) as bigint) as n,
        sum(n_automatic_fails) as n_automatic_fails,
        {{ sum_moments('score') }},
        {{ sum_moments('score_without_fails') }}
    from grouped
    group by {{ by }}, exclusion_reason, scored_stratum_key
),

counted as (
    select
        {{ by }},
        sum(case when exclusion_reason is null then n else 0 end) as n_reviews,
        sum(case when exclusion_reason is null then n_automatic_fails else 0 end)
            as n_automatic_fails,
        {% for reason in reasons -%}
        sum(case when exclusion_reason = '{{ reason }}' then n else 0 end) as n_{{ reason }},
        {% endfor -%}
        sum(case when exclusion_reason is not null then n else 0 end) as n_excluded
    from cells
    group by {{ by }}
),

kept as (
    select * from cells
    where exclusion_reason is null
),

scores as (
    {{ stratified_mean('kept', 'design', keys, 'score') }}
),

scores_without_fails as (
    {{ stratified_mean('kept', 'design', keys, 'score_without_fails') }}
),

populations as (
    select
        {{ of_period }},
        stratum_key,
        sum(n_decisions) as n_decisions
    from (
        {{ by_period('days', 'decided_on') }}
    ) as days_in_periods
    group by {{ of_period }}, stratum_key
),

eligible as (
    select
        {{ of_period }},
        cast(sum(n_decisions) as bigint) as n_eligible_decisions
    from populations
    group by {{ of_period }}
),

covered as (
    select
        scored_strata.score_of,
        scored_strata.category_id,
        {{ of_period }},
        cast(sum(populations.n_decisions) as bigint) as n_covered_decisions
    from populations
    inner join scored_strata on populations.stratum_key = scored_strata.frame_stratum_key
    group by scored_strata.score_of, scored_strata.category_id, {{ of_period }}
),

judged as (
    select
        counted.*,
        counted.n_reviews as n,
        counted.n_excluded
        - counted.n_nothing_rated - counted.n_not_applicable - counted.n_not_rated
            as n_audit_excluded,
        {{ var('min_audits') }} as minimum_n,
        suppressed.suppression_code,
        coalesce(scores.n_weighted, 0) as n_weighted,
        coalesce(eligible.n_eligible_decisions, 0) as n_eligible_decisions,
        coalesce(covered.n_covered_decisions, 0) as n_covered_decisions,
        coalesce(covered.n_covered_decisions, 0)
        / cast(nullif(eligible.n_eligible_decisions, 0) as double) as coverage_rate,
        scores.mean as estimate,
        scores.standard_error,
        scores_without_fails.mean as score_without_fails,
        scores_without_fails.standard_error as standard_error_without_fails,
        {% for side in ['low', 'high'] -%}
        {{ mean_bound('scores.mean', 'scores.standard_error', side) }} as ci_{{ side }},
        {{ mean_bound(
            'scores_without_fails.mean', 'scores_without_fails.standard_error', side) }}
            as ci_{{ side }}_without_fails,
        {% endfor -%}
        scores.weighted_mean as weighted_score,
        scores.weighted_standard_error
    from counted
    left join scores on {{ same_keys('counted', 'scores', keys) }}
    left join scores_without_fails
        on {{ same_keys('counted', 'scores_without_fails', keys) }}
    left join eligible on {{ same_keys('counted', 'eligible', keys[2:6]) }}
    left join covered on {{ same_keys('counted', 'covered', keys[:6]) }}
    left join suppressed on {{ same_keys('counted', 'suppressed', keys[2:6]) }}
)

{{ publish_rate(
    'judged',
    keys,
    asked=['suppression_code', 'n', 'minimum_n', 'standard_error'],
    values=[
        'n_automatic_fails', 'n_weighted', 'score_without_fails',
        'standard_error_without_fails', 'ci_low_without_fails', 'ci_high_without_fails',
        'weighted_score', 'weighted_standard_error',
    ],
    counts=[
        'coverage_rate', 'n_eligible_decisions', 'n_covered_decisions',
        'n_excluded', 'n_audit_excluded', 'n_nothing_rated', 'n_not_applicable', 'n_not_rated',
    ],
    without=['n_people', 'effective_n', 'standard_error_reason'],
) }}
