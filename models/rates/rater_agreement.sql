{% set keys = agreement_keys() | join(', ') %}
{% set with_interval = ['percent_agreement', 'gwets_ac1'] %}
{% set coefficients = with_interval + [
    'krippendorffs_alpha_nominal', 'krippendorffs_alpha_ordinal', 'fleiss_kappa', 'cohens_kappa',
] %}
{% set reasons = [
    'not_rated', 'not_a_decision', 'label_missing', 'repeated_rating', 'one_auditor',
] %}
{% set rated = ['n_items', 'n_ratings', 'n_raters', 'n_labels'] %}
{% set left_out = ['n_excluded_ratings'] -%}
{% for reason in reasons %}{% do left_out.append('n_' ~ reason) %}{% endfor -%}

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

in_columns as (
    select
        every_group.*,
        {% for name in rated + ['n_paired_items'] -%}
        coalesce(coefficients.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        {% for name in left_out -%}
        cast(coalesce(counted.{{ name }}, 0) as bigint) as {{ name }},
        {% endfor -%}
        {% for name in coefficients -%}
        coefficients.{{ name }},
        {% if name in with_interval -%}
        coefficients.{{ name }}_standard_error,
        {{ agreement_bound('coefficients', name, 'low') }} as {{ name }}_ci_low,
        {{ agreement_bound('coefficients', name, 'high') }} as {{ name }}_ci_high,
        {% endif -%}
        case
            when coefficients.n_items is null then 'no_pairs'
            {% if name == 'percent_agreement' -%}
            when coefficients.n_paired_items = 0 then 'no_pairs'
            {% else -%}
            else coefficients.{{ name }}_reason_code
            {% endif -%}
        end as {{ name }}_reason_code,
        {% endfor -%}
        coalesce(counted.n_people, coefficients.n_raters) as n_people,
        suppressed.suppression_code
    from every_group
    left join counted on {{ same_keys('every_group', 'counted', agreement_keys()) }}
    left join coefficients on {{ same_keys('every_group', 'coefficients', agreement_keys()) }}
    left join suppressed
        on
            {{ same_keys('every_group', 'suppressed', agreement_keys()[2:]) }}
            and suppressed.basis = concat('agreement ', every_group.rating_source)
),

measured as (
    {% for name in coefficients -%}
    {% set has_interval = name in with_interval -%}
    select
        '{{ name }}' as coefficient,
        {{ keys }},
        {{ period_end() }} as period_ends_on,
        suppression_code,
        n_people,
        n_paired_items,
        n_paired_items as n,
        {{ (rated + left_out) | join(', ') }},
        {{ name }} as estimate,
        {% for part in ['standard_error', 'ci_low', 'ci_high'] -%}
        {{ name ~ '_' ~ part if has_interval else 'cast(null as double)' }} as {{ part }},
        {% endfor -%}
        {{ name }}_reason_code as coefficient_reason_code,
        {{ name ~ '_standard_error is not null' if has_interval else 'true' }} as variance_known,
        {{ 'false' if has_interval else 'true' }} as has_no_interval
    from in_columns
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)

{{ publish_rate(
    'measured',
    ['coefficient'] + agreement_keys() + ['period_ends_on'],
    asked=[
        'suppression_code', 'coefficient_reason_code', 'variance_known', 'n_paired_items',
        'has_no_interval',
    ],
    values=rated + left_out,
    without=['effective_n', 'coverage_rate', 'standard_error_reason'],
) }}
