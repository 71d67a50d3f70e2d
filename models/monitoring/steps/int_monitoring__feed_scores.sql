{% set series = ['feed_measure', 'dimension_name', 'dimension_value'] -%}
{% set keys = series + ['calendar_date'] -%}
{% set shares = {
    'auto_closed': 'n_auto_closed',
    'no_language': 'n_without_language',
    'no_views': 'n_without_views',
} -%}

with days as (
    select * from {{ ref('int_monitoring__feed_days') }}
),

-- On a known day, such as a holiday, volume is neither judged nor a measure for other days.
measured as (
    select
        feed as feed_measure,
        dimension_name,
        dimension_value,
        calendar_date,
        false as is_share,
        n_of_feed,
        n_of_feed as n_observed,
        case when not is_known_day then cast(n_of_feed as double) end as quantity
    from days
    {% for name, column in shares.items() -%}
    union all
    select
        '{{ name }}' as feed_measure,
        dimension_name,
        dimension_value,
        calendar_date,
        true as is_share,
        n_of_feed,
        {{ column }} as n_observed,
        {{ column }} / cast(nullif(n_of_feed, 0) as double) as quantity
    from days
    where feed = 'decisions'
    {% endfor %}
),

usual as (
    {{ median_of_days_before(
        'measured', 'measured', keys, 'quantity', 7, 7 * var('feed_baseline_weeks')
    ) }}
),

residuals as (
    select
        measured.*,
        usual.median as usual_value,
        usual.n_known as n_usual,
        case
            when measured.quantity is null or usual.median is null then null
            when measured.is_share
                then {{ signed_root('measured.n_observed', 'measured.n_of_feed', 'usual.median') }}
            else ln((measured.n_observed + 0.5e0) / (usual.median + 0.5e0))
        end as residual
    from measured
    inner join usual on {{ same_keys('measured', 'usual', keys) }}
),

centres as (
    {{ median_of_days_before(
        'residuals', 'residuals', keys, 'residual', 1, var('feed_spread_days')
    ) }}
),

spreads as (
    {{ median_of_days_before(
        'centres', 'residuals', keys, 'abs(past.residual - today.median)', 1,
        var('feed_spread_days')
    ) }}
),

spread as (
    select
        residuals.*,
        spreads.n_known >= 7 * ({{ var('feed_min_weeks') }} - 1)
        and residuals.n_usual >= {{ var('feed_min_weeks') }} as is_known,
        greatest(
            case
                when residuals.is_share then 1e0
                else greatest(
                    1 / sqrt(greatest(residuals.usual_value, 1e0)), {{ var('feed_min_spread') }}e0
                )
            end,
            {{ mad_to_sd() }} * spreads.median
        ) as residual_spread
    from residuals
    inner join spreads on {{ same_keys('residuals', 'spreads', keys) }}
)

select
    {{ keys | join(',\n    ') }},
    is_share,
    n_of_feed,
    n_observed,
    case when is_share then n_of_feed * usual_value else usual_value end as n_expected,
    residual,
    case when is_known then residual_spread end as residual_spread,
    case when is_known then residual / residual_spread end as z
from spread
