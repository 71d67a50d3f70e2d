-- Every group is compared over the whole of the same mix, with the share that cannot be compared.
with cells as (
    select
        period_type,
        period_starts_on,
        mix_name,
        dimension_name,
        dimension_value,
        sum(mix_share) as mix_share,
        sum(case when is_empty then 0 else mix_share end) as comparable_share
    from {{ ref('standardisation_cells') }}
    group by period_type, period_starts_on, mix_name, dimension_name, dimension_value
),

compared as (
    select * from {{ ref('accuracy_compared') }}
)

select
    compared.period_type,
    compared.period_starts_on,
    compared.mix_name,
    compared.dimension_name,
    compared.dimension_value,
    cells.mix_share,
    cells.comparable_share,
    compared.comparable_share as published_share
from compared
left join cells
    on
        compared.period_type = cells.period_type
        and compared.period_starts_on = cells.period_starts_on
        and compared.mix_name = cells.mix_name
        and compared.dimension_name = cells.dimension_name
        and compared.dimension_value = cells.dimension_value
where
    compared.n > 0
    and (
        (abs(cells.mix_share - 1) <= 1e-9) is not true
        or (abs(cells.comparable_share - compared.comparable_share) <= 1e-9) is not true
    )
