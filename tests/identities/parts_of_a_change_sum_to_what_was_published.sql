-- Within each dimension the rows but the total sum to the change that accuracy_rates published, and
-- the segments alone to the change of their own level. A comparison that is missing is found too.
with rates as (
    select
        *,
        {{ period_before('period_type', 'period_starts_on') }} as before_starts_on
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1
        and dimension_name = 'overall'
        and period_type in ('week', 'month')
        and estimate is not null
        and n_covered_decisions > 0
),

published as (
    select
        later.period_type,
        later.period_starts_on,
        dimensions.dimension_name,
        later.estimate - earlier.estimate as published_change
    from rates as later
    inner join rates as earlier
        on
            later.period_type = earlier.period_type
            and later.before_starts_on = earlier.period_starts_on
    cross join (
        values
        {% for name in reporting_dimensions() if name not in ['overall', 'confidence'] -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as dimensions (dimension_name)
),

summed as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        max(case when row_type = 'total' then contribution end) as total,
        sum(case when row_type <> 'total' then contribution end) as sum_of_parts,
        sum(case when row_type = 'segment' then contribution end) as sum_of_segments,
        sum(
            case
                when row_type = 'segment' then
                    share_later * coalesce(rate_later, rate_earlier)
                    - share_earlier * coalesce(rate_earlier, rate_later)
            end
        ) as change_of_level,
        sum(case when row_type = 'segment' then share_later end) as shares_later
    from {{ ref('accuracy_change') }}
    group by period_type, period_starts_on, dimension_name
)

select
    published.*,
    summed.total,
    summed.sum_of_parts,
    summed.sum_of_segments,
    summed.change_of_level,
    summed.shares_later
from published
full outer join summed
    on {{ same_keys('published', 'summed', ['period_type', 'period_starts_on', 'dimension_name']) }}
where
    coalesce(abs(summed.total - published.published_change), 1) > 1e-9
    or coalesce(abs(summed.sum_of_parts - published.published_change), 1) > 1e-9
    or coalesce(abs(summed.sum_of_segments - summed.change_of_level), 1) > 1e-9
    or coalesce(abs(summed.shares_later - 1), 1) > 1e-9
