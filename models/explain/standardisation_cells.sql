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
        period_type,
        period_starts_on,
        mix_name,
        dimension_name,
        dimension_value,
        cell_key,
        count(distinct moderator_key) as n_people,
        sum(n_audits) as n_audits,
        {{ exact_sum('weight * n_audits') }} as weighted_audits,
        {{ exact_sum('weight * n_successes') }} as weighted_correct
    from people_cells
    group by
        period_type, period_starts_on, mix_name, dimension_name, dimension_value, cell_key
),

whole as (
    select
        period_type,
        period_starts_on,
        mix_name,
        {{ exact_sum('weighted_audits') }} as weighted_audits
    from cells
    where dimension_name = 'everybody'
    group by period_type, period_starts_on, mix_name
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
    inner join whole
        on
            cells.period_type = whole.period_type
            and cells.period_starts_on = whole.period_starts_on
            and cells.mix_name = whole.mix_name
    where cells.dimension_name = 'everybody'
),

compared as (
    select
        period_type,
        period_starts_on,
        mix_name,
        dimension_name,
        dimension_value,
        {{ exact_sum('weighted_audits') }} as weighted_audits
    from cells
    group by period_type, period_starts_on, mix_name, dimension_name, dimension_value
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
        on {{ same_keys('cells', 'suppressed', [
            'period_type', 'period_starts_on', 'dimension_name', 'dimension_value',
        ]) }}
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
inner join mix
    on
        compared.period_type = mix.period_type
        and compared.period_starts_on = mix.period_starts_on
        and compared.mix_name = mix.mix_name
inner join dimensions
    on
        compared.period_type = dimensions.period_type
        and compared.period_starts_on = dimensions.period_starts_on
        and compared.mix_name = dimensions.mix_name
        and compared.dimension_name = dimensions.dimension_name
left join cells
    on
        compared.period_type = cells.period_type
        and compared.period_starts_on = cells.period_starts_on
        and compared.mix_name = cells.mix_name
        and compared.dimension_name = cells.dimension_name
        and compared.dimension_value = cells.dimension_value
        and mix.cell_key = cells.cell_key
