{%- set of_period = ['period_type', 'period_starts_on', 'mix_name'] -%}
{%- set of_group = ['dimension_name', 'dimension_value'] -%}
{%- set keys = of_period + of_group -%}

with people_cells as (
    select *
    from {{ ref('int_people__compared_cells') }}
    where n_audits > 0
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

cells as (
    {{ summed_cells('people_cells', keys + ['cell_key', 'stratum_key']) }}
),

of_everybody as (
    select *
    from cells
    where dimension_name = 'everybody'
),

weights as (
    select
        {{ of_period | join(', ') }},
        cell_key,
        {{ exact_sum('weight * n_audits') }} as weighted_audits
    from people_cells
    where dimension_name = 'everybody'
    group by {{ of_period | join(', ') }}, cell_key
),

mix as (
    select
        {{ of_period | join(', ') }},
        cell_key,
        weighted_audits / ({{ exact_sum(
            'weighted_audits', over='partition by ' ~ of_period | join(', ')) }}) as mix_share
    from weights
),

compared as (
    select distinct {{ keys | join(', ') }}
    from cells
    where dimension_name <> 'everybody'
),

-- The others are everybody less the group: audits, not people, who may change groups.
divided as (
    select
        {% for key in keys -%}
        compared.{{ key }},
        {% endfor -%}
        of_everybody.cell_key,
        of_everybody.stratum_key,
        coalesce(own.n_audits, 0) as n_own,
        coalesce(own.n_successes, 0) as k_own,
        of_everybody.n_audits - coalesce(own.n_audits, 0) as n_others,
        of_everybody.n_successes - coalesce(own.n_successes, 0) as k_others
    from compared
    inner join of_everybody on {{ same_keys('compared', 'of_everybody', of_period) }}
    left join cells as own
        on
            {{ same_keys('compared', 'own', keys) }}
            and of_everybody.cell_key = own.cell_key
            and of_everybody.stratum_key = own.stratum_key
),

shared as (
    select
        {{ keys | join(', ') }},
        cell_key
    from divided
    group by {{ keys | join(', ') }}, cell_key
    having sum(n_own) > 0 and sum(n_others) > 0
),

sides as (
    {% for side in ['own', 'others'] -%}
    select
        {% for key in keys -%}
        divided.{{ key }},
        {% endfor -%}
        '{{ side }}' as side,
        divided.cell_key,
        divided.stratum_key,
        divided.n_{{ side }} as n_audits,
        divided.k_{{ side }} as n_successes
    from divided
    inner join shared
        on {{ same_keys('divided', 'shared', keys) }} and divided.cell_key = shared.cell_key
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

rates as (
    {{ standardised_rate(
        'sides', 'design', 'mix', mix_by=of_period, group_by=of_group + ['side']) }}
)

select
    {{ keys | join(', ') }},
    {% for side in ['own', 'others'] -%}
    {% for name, column in {
        'n_audits': 'n_audits', 'estimate': 'estimate', 'estimate_ci_low': 'ci_low',
        'estimate_ci_high': 'ci_high', 'effective_n': 'effective_n',
    }.items() -%}
    max(case when side = '{{ side }}' then {{ column }} end) as {{ side }}_{{ name }},
    {% endfor -%}
    {% endfor -%}
    max(case when side = 'own' then n_cells end) as n_shared_cells,
    max(case when side = 'own' then comparable_share end) as shared_share
from rates
group by {{ keys | join(', ') }}
having count(*) = 2
