{% set keys = agreement_keys() | join(', ') %}
{% set reasons = [
    'not_rated', 'not_a_decision', 'label_missing', 'repeated_rating', 'one_auditor',
] -%}

with coefficients as (
    select * from {{ ref('int_agreement__coefficients') }}
),

excluded_ratings as (
    select *
    from {{ ref('int_agreement__ratings') }}
    where exclusion_reason is not null
),

excluded_by_dimension as (
    {{ by_rating_dimension('excluded_ratings', 'item_rated_on') }}
),

excluded as (
    select
        {{ keys }},
        {% for reason in reasons -%}
        sum(case when exclusion_reason = '{{ reason }}' then 1 else 0 end) as n_{{ reason }},
        {% endfor -%}
        count(*) as n_excluded_ratings
    from excluded_by_dimension
    group by {{ keys }}
),

every_group as (
    select {{ keys }} from coefficients
    union distinct
    select {{ keys }} from excluded
),

bounded as (
    select
        every_group.*,
        coalesce(coefficients.n_items, 0) as n_items,
        coalesce(coefficients.n_paired_items, 0) as n_paired_items,
        coalesce(coefficients.n_ratings, 0) as n_ratings,
        coalesce(coefficients.n_raters, 0) as n_raters,
        coalesce(coefficients.n_labels, 0) as n_labels,
        {% for reason in reasons -%}
        coalesce(excluded.n_{{ reason }}, 0) as n_{{ reason }},
        {% endfor -%}
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
        coalesce(excluded.n_excluded_ratings, 0) as n_excluded_ratings
    from every_group
    left join coefficients on {{ same_keys('every_group', 'coefficients', agreement_keys()) }}
    left join excluded on {{ same_keys('every_group', 'excluded', agreement_keys()) }}
),

judged as (
    select
        *,
        case
            when gwets_ac1_reason_code is not null then gwets_ac1_reason_code
            when gwets_ac1_standard_error is null then 'variance_unknown'
            when n_paired_items < {{ var('min_agreement_items') }} then 'too_few_items'
        end as reason_code
    from bounded
)

select
    rating_source,
    label_kind,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    {{ period_end() }} as period_ends_on,
    reason_code is null as is_reportable,
    reason_code,
    n_items,
    n_paired_items,
    n_ratings,
    n_raters,
    n_labels,
    cast(n_excluded_ratings as bigint) as n_excluded_ratings,
    {% for reason in reasons -%}
    cast(n_{{ reason }} as bigint) as n_{{ reason }},
    {% endfor -%}
    percent_agreement,
    percent_agreement_standard_error,
    gwets_ac1,
    gwets_ac1_standard_error,
    gwets_ac1_ci_low,
    gwets_ac1_ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level,
    krippendorffs_alpha_nominal,
    krippendorffs_alpha_ordinal,
    fleiss_kappa,
    cohens_kappa,
    gwets_ac1_reason_code,
    krippendorffs_alpha_nominal_reason_code,
    krippendorffs_alpha_ordinal_reason_code,
    fleiss_kappa_reason_code,
    cohens_kappa_reason_code
from judged
