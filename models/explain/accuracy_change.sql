{% set period = ['period_type', 'period_starts_on'] -%}
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
),

cells as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        dimension_value,
        stratum_key,
        n_decisions,
        n_audits,
        n_correct as n_successes
    from {{ ref('accuracy_cells') }}
    where exclusion_reason is null and dimension_name <> 'confidence'
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy'
),

comparisons as (
    select
        concat(later.period_type, ' ', cast(later.period_starts_on as string)) as comparison_id,
        later.period_type,
        later.period_starts_on,
        later.period_ends_on,
        earlier.period_starts_on as earlier_starts_on,
        earlier.period_ends_on as earlier_ends_on,
        coalesce(later.reason_code, earlier.reason_code) as reason_code,
        -- derived_frame, if one of the two is.
        least(later.weighting, earlier.weighting) as weighting
    from rates as later
    inner join rates as earlier
        on
            later.period_type = earlier.period_type
            and later.before_starts_on = earlier.period_starts_on
),

sides as (
    {% for side, starts_on in {
        'earlier': 'earlier_starts_on', 'later': 'period_starts_on',
    }.items() -%}
    select
        comparison_id,
        period_type,
        {{ starts_on }} as period_starts_on,
        '{{ side }}' as side
    from comparisons
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What is suppressed in one of the periods is one group in both, so that the parts still add up.
listed as (
    select distinct
        sides.comparison_id,
        suppressed.dimension_name,
        suppressed.dimension_value
    from sides
    inner join suppressed on {{ same_keys('sides', 'suppressed', period) }}
),

placed as (
    select
        sides.comparison_id,
        sides.side,
        cells.dimension_name,
        case when listed.dimension_value is null then cells.dimension_value else 'suppressed' end
            as dimension_value,
        cells.stratum_key,
        cells.n_decisions,
        cells.n_audits,
        cells.n_successes
    from sides
    inner join cells on {{ same_keys('sides', 'cells', period) }}
    left join listed
        on
            sides.comparison_id = listed.comparison_id
            and {{ same_keys('cells', 'listed', ['dimension_name', 'dimension_value']) }}
),

explained as (
    {{ rate_and_mix('placed', 'design', by=['comparison_id']) }}
)

select
    comparisons.comparison_id,
    explained.dimension_name,
    explained.dimension_value,
    explained.row_type,
    comparisons.period_type,
    comparisons.period_starts_on,
    comparisons.period_ends_on,
    comparisons.earlier_starts_on,
    comparisons.earlier_ends_on,
    explained.segment_status,
    comparisons.weighting,
    comparisons.reason_code is null as is_reportable,
    comparisons.reason_code,
    explained.n_audits_earlier,
    explained.n_audits_later,
    explained.share_earlier,
    explained.share_later,
    explained.rate_earlier,
    explained.rate_later,
    {% for name in ['rate_contribution', 'mix_contribution'] -%}
    explained.{{ name }},
    explained.{{ name }}_standard_error,
    explained.{{ name }}_ci_low,
    explained.{{ name }}_ci_high,
    {% endfor -%}
    explained.contribution,
    explained.contribution_ci_low,
    explained.contribution_ci_high,
    cast({{ var('confidence_level') }} as double) as confidence_level
from explained
inner join comparisons on explained.comparison_id = comparisons.comparison_id
