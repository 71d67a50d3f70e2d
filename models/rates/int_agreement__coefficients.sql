{% set keys = agreement_keys() %}
{% set by = ['group_key'] %}

with all_cells as (
    select * from {{ ref('int_agreement__cells') }}
),

-- One number a group: what is joined by it often is joined fast.
groups as (
    select
        {{ keys | join(', ') }},
        row_number() over (order by {{ keys | join(', ') }}) as group_key
    from all_cells
    group by {{ keys | join(', ') }}
),

cells as (
    select
        all_cells.*,
        groups.group_key
    from all_cells
    inner join groups on {{ same_keys('all_cells', 'groups', keys) }}
    where {{ computed_once() }}
),

rated as (
    select
        group_key,
        {{ keys | join(', ') }},
        cast(sum(n_ratings) as bigint) as n_ratings,
        max(n_raters) as n_raters
    from cells
    group by group_key, {{ keys | join(', ') }}
),

items as (
    {{ rated_items('cells', by) }}
),

observed as (
    {{ observed_agreement('items', by) }}
),

percent as (
    {{ percent_agreement('items', 'observed', by) }}
),

ac1 as (
    {{ gwets_ac1('cells', 'items', 'observed', by) }}
),

alpha_nominal as (
    {{ krippendorffs_alpha('cells', by, 'nominal') }}
),

alpha_ordinal as (
    {{ krippendorffs_alpha('cells', by, 'ordinal') }}
),

fleiss as (
    {{ fleiss_kappa('cells', 'items', 'observed', by) }}
),

cohen as (
    {{ cohens_kappa('cells', 'items', by) }}
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
inner join percent on rated.group_key = percent.group_key
inner join ac1 on rated.group_key = ac1.group_key
inner join alpha_nominal on rated.group_key = alpha_nominal.group_key
inner join alpha_ordinal on rated.group_key = alpha_ordinal.group_key
inner join fleiss on rated.group_key = fleiss.group_key
inner join cohen on rated.group_key = cohen.group_key
