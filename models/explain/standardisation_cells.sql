{%- set of_period = ['period_type', 'period_starts_on', 'mix_name'] -%}
{%- set keys = of_period + ['dimension_name', 'dimension_value'] -%}

with people_cells as (
    select *
    from {{ ref('int_people__compared_cells') }}
    where n_audits > 0
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

cells as (
    select
        {{ keys | join(', ') }},
        cell_key,
        count(distinct moderator_key) as n_people,
        sum(n_audits) as n_audits,
        {{ exact_sum('weight * n_audits') }} as weighted_audits,
        {{ exact_sum('weight * n_successes') }} as weighted_correct
    from people_cells
    group by {{ keys | join(', ') }}, cell_key
),

whole as (
    select
        {{ of_period | join(', ') }},
        {{ exact_sum('weighted_audits') }} as weighted_audits
    from cells
    where dimension_name = 'everybody'
    group by {{ of_period | join(', ') }}
),

mix as (
    select
        cells.period_type,
        cells.period_starts_on,
        cells.mix_name,
        cells.cell_key,
        cells.weighted_audits / whole.weighted_audits as mix_share,
        cells.weighted_correct / cells.weighted_audits as reference_rate
    from cells
    inner join whole on {{ same_keys('cells', 'whole', of_period) }}
    where cells.dimension_name = 'everybody'
),

compared as (
    select
        {{ keys | join(', ') }},
        {{ exact_sum('weighted_audits') }} as weighted_audits
    from cells
    group by {{ keys | join(', ') }}
),

-- All or nothing: a cell that is left out alone is what the rates of its group in
-- accuracy_compared, or everybody's in the cell, leave besides the cells that are shown.
dimensions as (
    select
        cells.period_type,
        cells.period_starts_on,
        cells.mix_name,
        cells.dimension_name,
        min(cells.n_people) < {{ var('min_people') }} or count(suppressed.basis) > 0
            as is_withheld
    from cells
    left join suppressed
        on {{ same_keys('cells', 'suppressed', keys[:2] + keys[3:]) }}
    group by cells.period_type, cells.period_starts_on, cells.mix_name, cells.dimension_name
)

select
    compared.period_type,
    compared.period_starts_on,
    compared.mix_name,
    compared.dimension_name,
    compared.dimension_value,
    mix.cell_key,
    cells.n_audits is null as is_empty,
    dimensions.is_withheld,
    cast(case when not dimensions.is_withheld then coalesce(cells.n_audits, 0) end as bigint)
        as n_audits,
    mix.mix_share,
    case
        when not dimensions.is_withheld
            then coalesce(cells.weighted_audits, 0) / compared.weighted_audits
    end as own_share,
    case when not dimensions.is_withheld then cells.weighted_correct / cells.weighted_audits end
        as own_rate,
    mix.reference_rate
from compared
inner join mix on {{ same_keys('compared', 'mix', of_period) }}
inner join dimensions on {{ same_keys('compared', 'dimensions', keys[:4]) }}
left join cells
    on
        {{ same_keys('compared', 'cells', keys) }}
        and mix.cell_key = cells.cell_key
