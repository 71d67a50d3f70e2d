{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on', 'is_reportable', 'reason_code',
] -%}
{% set numbers = ['estimate', 'ci_low', 'ci_high', 'confidence_level'] -%}

with accuracy_rates as (
    select *
    from {{ ref('accuracy_rates') }}
    where period_type <> 'day'
),

quality_rates as (
    select *
    from {{ ref('quality_rates') }}
    where period_type in ('week', 'month')
),

policy_rates as (
    select
        *,
        case when policy_level = 'parent' then 'policy_parent' else 'policy' end as dimension_name,
        policy_id as dimension_value
    from {{ ref('policy_rates') }}
    where policy_version = 'all'
)

select
    {% for name in keys + numbers -%}
    {{ name }},
    {% endfor -%}
    n,
    effective_n,
    n_eligible_decisions as n_decisions,
    n as n_audits,
    coverage_rate,
    is_wide_interval,
    weighting,
    target_at_decision as target -- noqa: RF04
from accuracy_rates
union all
select
    {% for name in keys + numbers -%}
    {{ name }},
    {% endfor -%}
    n,
    effective_n,
    cast(null as bigint) as n_decisions,
    n as n_audits,
    coverage_rate,
    ci_high - ci_low > {{ var('max_interval_width') }} as is_wide_interval,
    weighting,
    cast(null as double) as target -- noqa: RF04
from policy_rates
union all
select
    {% for name in keys + numbers -%}
    {{ name }},
    {% endfor -%}
    n,
    effective_n,
    cast(null as bigint) as n_decisions,
    cast(null as bigint) as n_audits,
    cast(null as double) as coverage_rate,
    ci_high - ci_low > {{ var('max_interval_width') }} as is_wide_interval,
    cast(null as string) as weighting,
    cast(null as double) as target -- noqa: RF04
from quality_rates
