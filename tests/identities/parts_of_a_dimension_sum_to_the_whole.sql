{% set of_people = "'" ~ roster_dimensions() | join("', '") ~ "'" -%}
with rates as (
    select * from {{ ref('accuracy_rates') }}
),

parts as (
    select
        metric_id,
        metric_version,
        period_type,
        period_starts_on,
        dimension_name,
        sum(n_decisions) as n_decisions,
        sum(n_eligible_decisions) as n_eligible_decisions,
        sum(n_covered_decisions) as n_covered_decisions,
        sum(n_pending_decisions) as n_pending_decisions,
        sum(n) as n,
        sum(n_excluded_audits) as n_excluded_audits,
        sum(n_successes) as n_successes,
        sum(weighted_denominator) as weighted_denominator,
        sum(weighted_numerator) as weighted_numerator,
        max(
            case
                when reason_code in ('suppressed_small_group', 'suppressed_complementary') then 1
                else 0
            end
        ) = 1 as has_withheld,
        -- A rate that is refused shows no numerator either.
        max(
            case
                when
                    reason_code in (
                        'undefined_for_dimension', 'stratum_not_audited', 'flag_not_filled'
                    )
                    then 1
                else 0
            end
        ) = 1 as has_refused
    from rates
    group by metric_id, metric_version, period_type, period_starts_on, dimension_name
),

metrics as (
    select distinct
        metric_id,
        metric_version
    from parts
),

-- A dimension that is gone from a period has no row of its own to be compared.
with_rates as (
    select distinct
        period_type,
        period_starts_on,
        dimension_name
    from {{ ref('accuracy_population') }}
    where has_rates
),

expected as (
    select
        metrics.metric_id,
        metrics.metric_version,
        with_rates.period_type,
        with_rates.period_starts_on,
        with_rates.dimension_name
    from with_rates
    cross join metrics
)

select
    expected.metric_id,
    expected.metric_version,
    expected.period_type,
    expected.period_starts_on,
    expected.dimension_name,
    parts.n_decisions,
    whole.n_decisions as n_decisions_overall,
    parts.n,
    whole.n as n_overall,
    parts.weighted_denominator,
    whole.weighted_denominator as weighted_denominator_overall
from expected
left join parts
    on
        expected.metric_id = parts.metric_id
        and expected.metric_version = parts.metric_version
        and expected.period_type = parts.period_type
        and expected.period_starts_on = parts.period_starts_on
        and expected.dimension_name = parts.dimension_name
left join parts as whole
    on
        expected.metric_id = whole.metric_id
        and expected.metric_version = whole.metric_version
        and expected.period_type = whole.period_type
        and expected.period_starts_on = whole.period_starts_on
        and whole.dimension_name = 'overall'
where
    parts.metric_id is null
    -- By day there may be rates of queues, and none of all decisions.
    or (expected.period_type <> 'day' or whole.n_decisions is not null)
    and (
        -- Audits of one part of a stratum cover no other.
        parts.n_covered_decisions > whole.n_covered_decisions
        -- Parts that are withheld are missing from their sum; counts of decisions only of people.
        or not (
            parts.has_withheld
            and parts.dimension_name in ({{ of_people }})
        )
        and (
            parts.n_decisions is distinct from whole.n_decisions
            or parts.n_eligible_decisions is distinct from whole.n_eligible_decisions
            or parts.n_pending_decisions is distinct from whole.n_pending_decisions
            or parts.n_excluded_audits is distinct from whole.n_excluded_audits
        )
        or not parts.has_withheld
        and (
            parts.n is distinct from whole.n
            or parts.n_successes is distinct from whole.n_successes
            or abs(
                coalesce(parts.weighted_denominator, 0) - coalesce(whole.weighted_denominator, 0)
            )
            > 1e-9 * coalesce(whole.weighted_denominator, 1)
            or not (parts.has_refused or whole.has_refused)
            and abs(coalesce(parts.weighted_numerator, 0) - coalesce(whole.weighted_numerator, 0))
            > 1e-9 * coalesce(whole.weighted_denominator, 1)
        )
    )
