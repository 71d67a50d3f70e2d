{%- set keys = [
    'period_type', 'period_starts_on', 'mix_name', 'dimension_name', 'dimension_value',
] -%}
{%- set asked = [
    'suppression_code', 'n_group_audits', 'n_base_audits', 'misframed_share', 'comparable_share',
] -%}
{%- set rate = ['estimate', 'standard_error', 'ci_low', 'ci_high', 'effective_n'] -%}

with people_cells as (
    select * from {{ ref('int_people__compared_cells') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

shown_cells as (
    select * from {{ ref('standardisation_cells') }}
),

others as (
    select * from {{ ref('int_people__others') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

compared as (
    select
        {% for key in keys -%}
        people_cells.{{ key }},
        {% endfor -%}
        max(people_cells.period_ends_on) as period_ends_on,
        count(distinct case when people_cells.n_audits > 0 then people_cells.moderator_key end)
            as n_people,
        sum(people_cells.n_technical_audits) as n_technical_audits,
        max(case when people_cells.n_audits > 0 and design.is_derived then 1 else 0 end) = 1
            as has_derived_frame
    from people_cells
    left join design on people_cells.stratum_key = design.stratum_key
    where people_cells.dimension_name <> 'everybody'
    group by people_cells.{{ keys | join(', people_cells.') }}
),

of_enough_people as (
    select
        compared.*,
        coalesce(
            suppressed.suppression_code,
            case
                when compared.n_people between 1 and {{ var('min_people') }} - 1
                    then 'suppressed_small_group'
            end
        ) as suppression_code
    from compared
    left join suppressed
        on {{ same_keys('compared', 'suppressed', keys[:2] + keys[3:]) }}
),

cells as (
    {{ summed_cells('people_cells', keys + ['cell_key', 'stratum_key']) }}
),

by_stratum as (
    {{ summed_cells('people_cells', keys + ['stratum_key']) }}
),

mix as (
    select
        period_type,
        period_starts_on,
        mix_name,
        cell_key,
        mix_share,
        reference_rate
    from shown_cells
    where dimension_name = 'everybody'
),

raw_rates as (
    {{ stratified_rate('by_stratum', 'design', by=keys) }}
),

standardised as (
    {{ standardised_rate(
        'cells', 'design', 'mix',
        mix_by=['period_type', 'period_starts_on', 'mix_name'], group_by=keys[3:]) }}
),

misframed as (
    {{ misframed_share('by_stratum', 'design', by=keys) }}
),

-- Everybody's rates in the cells that the group has: the same mix for both sides.
reference as (
    select
        {{ keys | join(', ') }},
        {{ exact_sum('case when is_empty then 0 else mix_share * reference_rate end') }}
        / nullif({{ exact_sum('case when is_empty then 0 else mix_share end') }}, 0)
            as reference_estimate,
        {{ exact_sum('mix_share * reference_rate') }} as overall_estimate,
        sum(case when is_empty then 1 else 0 end) as n_empty_cells,
        {{ joined_text('case when is_empty then cell_key end') }} as empty_cells
    from shown_cells
    group by {{ keys | join(', ') }}
),

together as (
    select
        compared.*,
        {% for name in ['n', 'n_group_audits', 'n_base_audits'] -%}
        coalesce(raw_rates.n_audits, 0) as {{ name }},
        {% endfor -%}
        coalesce(raw_rates.n_successes, 0) as n_successes,
        {% for name in rate -%}
        raw_rates.{{ name }} as raw_{{ name }},
        standardised.{{ name }},
        {% endfor -%}
        standardised.standard_error_reason,
        coalesce(standardised.n_cells, 0) as n_cells,
        coalesce(standardised.comparable_share, 0) as comparable_share,
        reference.n_empty_cells,
        reference.empty_cells,
        reference.reference_estimate,
        reference.overall_estimate,
        -- By the weights of everybody's audits the group's rate is standardised.
        greatest(
            coalesce(misframed.misframed_share, 0), coalesce(of_everybody.misframed_share, 0)
        ) as misframed_share,
        coalesce(others.shared_share, 0) as shared_share,
        {% for side in ['own', 'others'] -%}
        others.{{ side }}_estimate,
        others.{{ side }}_estimate_ci_low,
        others.{{ side }}_estimate_ci_high,
        {% endfor -%}
        others.others_n_audits,
        others.others_effective_n
    from of_enough_people as compared
    {% for name in ['raw_rates', 'standardised', 'reference', 'others', 'misframed'] -%}
    left join {{ name }} on {{ same_keys('compared', name, keys) }}
    {% endfor -%}
    left join misframed as of_everybody
        on
            {{ same_keys('compared', 'of_everybody', keys[:3]) }}
            and of_everybody.dimension_name = 'everybody'
),

differing as (
    select
        *,
        own_estimate - others_estimate as difference_from_others,
        {{ difference_bound('own_estimate', 'others_estimate', 'low') }} as difference_ci_low,
        {{ difference_bound('own_estimate', 'others_estimate', 'high') }} as difference_ci_high,
        estimate - reference_estimate as own_effect,
        raw_estimate - estimate as mix_effect,
        reference_estimate - overall_estimate as not_comparable_effect,
        case
            when
                shared_share >= {{ var('min_comparable_share') }}
                and others_n_audits >= {{ var('min_audits') }}
                and others_effective_n >= {{ var('min_effective_n') }}
                and ({{ reason_code(asked) }}) is null
                then
                    {{ difference_bound('own_estimate', 'others_estimate', 'low') }} > 0
                    or {{ difference_bound('own_estimate', 'others_estimate', 'high') }} < 0
        end as is_apart_from_others
    from together
)

-- What few people did is theirs: nothing of it, and nothing that leads to it, is shown to all.
{{ publish_rate(
    'differing',
    keys + ['period_ends_on', 'overall_estimate'],
    asked,
    values=[
        'is_apart_from_others', 'n_successes', 'n_technical_audits', 'n_cells', 'n_empty_cells',
        'empty_cells', 'comparable_share', 'raw_estimate', 'raw_standard_error', 'raw_ci_low',
        'raw_ci_high', 'raw_effective_n', 'reference_estimate', 'own_effect', 'mix_effect',
        'not_comparable_effect', 'shared_share', 'others_estimate', 'others_estimate_ci_low',
        'others_estimate_ci_high', 'difference_from_others', 'difference_ci_low',
        'difference_ci_high',
    ],
    without=['coverage_rate'],
    weighted='only',
) }}
