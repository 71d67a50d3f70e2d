{% set chart = [
    'metric_id', 'metric_version', 'period_type', 'dimension_name', 'dimension_value',
] -%}
{% set sigma_prime = 'charted.sigma * charted.sigma_z' -%}

with weeks as (
    select
        {{ chart | join(', ') }},
        period_starts_on,
        estimate,
        effective_n
    from {{ ref('accuracy_rates') }}
    where
        metric_id = 'accuracy' and metric_version = 1 and period_type = 'week' and is_reportable
),

charted as (
    {{ p_charts('weeks', chart, 'period_starts_on', 'estimate', 'effective_n') }}
),

smoothed as (
    {{ ewma('charted', chart, 'nth_week', 'estimate', 'centre', 'sigma', var('ewma_weight')) }}
)

select
    charted.metric_id,
    charted.metric_version,
    charted.period_type,
    charted.period_starts_on,
    charted.dimension_name,
    charted.dimension_value,
    charted.nth_week,
    charted.estimate,
    charted.effective_n,
    charted.centre,
    {{ control_limit('charted.centre', 'charted.sigma', 'low') }} as p_low,
    {{ control_limit('charted.centre', 'charted.sigma', 'high') }} as p_high,
    charted.sigma_z,
    {{ control_limit('charted.centre', sigma_prime, 'low') }} as p_prime_low,
    {{ control_limit('charted.centre', sigma_prime, 'high') }} as p_prime_high,
    smoothed.ewma,
    {{ control_limit('charted.centre', 'smoothed.ewma_sigma', 'low') }} as ewma_low,
    {{ control_limit('charted.centre', 'smoothed.ewma_sigma', 'high') }} as ewma_high
from charted
inner join smoothed on {{ same_keys('charted', 'smoothed', chart + ['nth_week']) }}
