{% set keys = agreement_keys() | join(', ') %}
{% set reasons = [
    'not_rated', 'not_a_decision', 'label_missing', 'repeated_rating', 'one_auditor',
] -%}

with coefficients as (
    select * from {{ ref('int_agreement__coefficients') }}
),

ratings as (
    select * from {{ ref('int_agreement__ratings') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
),

by_dimension as (
    {{ by_rating_dimension('ratings', 'item_rated_on') }}
),

-- Whose ratings are left out is a rater too. Who is not known is one.
counted as (
    select
        {{ keys }},
        count(distinct coalesce(rater_key, 'unknown')) as n_people,
        {% for reason in reasons -%}
        sum(case when exclusion_reason = '{{ reason }}' then 1 else 0 end) as n_{{ reason }},
        {% endfor -%}
        sum(case when exclusion_reason is not null then 1 else 0 end) as n_excluded_ratings
    from by_dimension
    group by {{ keys }}
),

every_group as (
    select {{ keys }} from coefficients
    union distinct
    select {{ keys }} from counted
),

bounded as (
    select
        every_group.*,
        coalesce(counted.n_people, coefficients.n_raters) as n_people,
        coalesce(counted.n_excluded_ratings, 0) as n_excluded_ratings,
        {% for reason in reasons -%}
        coalesce(counted.n_{{ reason }}, 0) as n_{{ reason }},
        {% endfor -%}
        coalesce(coefficients.n_items, 0) as n_items,
        coalesce(coefficients.n_paired_items, 0) as n_paired_items,
        coalesce(coefficients.n_ratings, 0) as n_ratings,
        coalesce(coefficients.n_raters, 0) as n_raters,
        coalesce(coefficients.n_labels, 0) as n_labels,
        {% for name in ['percent_agreement', 'gwets_ac1'] -%}
        coefficients.{{ name }},
        coefficients.{{ name }}_standard_error,
        {% endfor -%}
        {{ ac1_bound('coefficients', 'low') }} as gwets_ac1_ci_low,
        {{ ac1_bound('coefficients', 'high') }} as gwets_ac1_ci_high,
        {% for name in [
            'krippendorffs_alpha_nominal', 'krippendorffs_alpha_ordinal', 'fleiss_kappa',
            'cohens_kappa',
        ] -%}
        coefficients.{{ name }},
        {% endfor -%}
        {% for name in [
            'gwets_ac1', 'krippendorffs_alpha_nominal', 'krippendorffs_alpha_ordinal',
            'fleiss_kappa', 'cohens_kappa',
        ] -%}
        case
            when coefficients.n_items is null then 'no_pairs'
            else coefficients.{{ name }}_reason_code
        end as {{ name }}_reason_code,
        {% endfor -%}
        coefficients.gwets_ac1_standard_error is not null as variance_known,
        suppressed.suppression_code
    from every_group
    left join counted on {{ same_keys('every_group', 'counted', agreement_keys()) }}
    left join coefficients on {{ same_keys('every_group', 'coefficients', agreement_keys()) }}
    left join suppressed
        on
            {{ same_keys('every_group', 'suppressed', agreement_keys()[2:]) }}
            and suppressed.basis = concat('agreement ', every_group.rating_source)
),

judged as (
    select
        *,
        {{ reason_code([
            'suppression_code', 'gwets_ac1_reason_code', 'variance_known', 'n_paired_items',
        ]) }} as reason_code
    from bounded
)

select
    {% for key in agreement_keys() -%}
    {{ key }},
    {% endfor -%}
    {{ period_end() }} as period_ends_on,
    reason_code is null as is_reportable,
    reason_code,
    cast(n_people as bigint) as n_people,
    {% for name in [
        'items', 'paired_items', 'ratings', 'raters', 'labels', 'excluded_ratings',
    ] + reasons -%}
    cast(case when suppression_code is null then n_{{ name }} end as bigint) as n_{{ name }},
    {% endfor -%}
    {% for name in [
        'percent_agreement', 'percent_agreement_standard_error', 'gwets_ac1_standard_error',
        'gwets_ac1_ci_low', 'gwets_ac1_ci_high',
    ] -%}
    case when suppression_code is null then {{ name }} end as {{ name }},
    {% endfor -%}
    {% for name in [
        'gwets_ac1', 'krippendorffs_alpha_nominal', 'krippendorffs_alpha_ordinal', 'fleiss_kappa',
        'cohens_kappa',
    ] -%}
    case when suppression_code is null then {{ name }} end as {{ name }},
    coalesce(suppression_code, {{ name }}_reason_code) as {{ name }}_reason_code,
    {% endfor -%}
    cast({{ var('confidence_level') }} as double) as confidence_level
from judged
