with windows as (
    select * from {{ ref('int_monitoring__windows') }}
)

{{ risk_rates('windows', ['window_ends_on', 'window_days']) }}
