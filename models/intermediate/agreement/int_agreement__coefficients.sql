{% set keys = agreement_keys() %}

with cells as (
    select * from {{ ref('int_agreement__cells') }}
),

rated as (
    select
        {{ keys | join(', ') }},
        cast(sum(n_ratings) as bigint) as n_ratings,
        max(n_raters) as n_raters
    from cells
    group by {{ keys | join(', ') }}
),

percent as (
    {{ percent_agreement('cells', keys) }}
),

ac1 as (
    {{ gwets_ac1('cells', keys) }}
),

alpha_nominal as (
    {{ krippendorffs_alpha('cells', keys, 'nominal') }}
),

alpha_ordinal as (
    {{ krippendorffs_alpha('cells', keys, 'ordinal') }}
),

fleiss as (
    {{ fleiss_kappa('cells', keys) }}
),

cohen as (
    {{ cohens_kappa('cells', keys) }}
)

select
    {% for key in keys -%}
    rated.{{ key }},
    {% endfor -%}
    percent.n_items,
    percent.n_paired_items,
    rated.n_ratings,
    rated.n_raters,
    ac1.n_labels,
    percent.percent_agreement,
    percent.percent_agreement_standard_error,
    ac1.gwets_ac1,
    ac1.gwets_ac1_standard_error,
    ac1.gwets_ac1_chance_agreement,
    ac1.gwets_ac1_reason_code,
    alpha_nominal.krippendorffs_alpha_nominal,
    alpha_nominal.krippendorffs_alpha_nominal_reason_code,
    alpha_ordinal.krippendorffs_alpha_ordinal,
    alpha_ordinal.krippendorffs_alpha_ordinal_reason_code,
    fleiss.fleiss_kappa,
    fleiss.fleiss_kappa_reason_code,
    cohen.cohens_kappa,
    cohen.cohens_kappa_reason_code
from rated
inner join percent on {{ same_keys('rated', 'percent', keys) }}
inner join ac1 on {{ same_keys('rated', 'ac1', keys) }}
inner join alpha_nominal on {{ same_keys('rated', 'alpha_nominal', keys) }}
inner join alpha_ordinal on {{ same_keys('rated', 'alpha_ordinal', keys) }}
inner join fleiss on {{ same_keys('rated', 'fleiss', keys) }}
inner join cohen on {{ same_keys('rated', 'cohen', keys) }}
