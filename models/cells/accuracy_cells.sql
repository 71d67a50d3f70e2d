{% set measures = audit_measures().keys() | list -%}
{% set squares = audit_measure_squares().keys() | list -%}

with calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    {{ periods_to_build('calendar') }}
),

strata as (
    select * from {{ ref('int_sampling__strata') }}
),

-- The frame that comes next, as long as the last one.
next_frame as (
    select
        max({{ reporting_date('period_end') }}) as first_day,
        max({{ add_days(
            reporting_date('period_end'),
            days_between(reporting_date('period_start'), reporting_date('period_end'))
        ) }}) as ends_before
    from strata
    where period_end = (select max(all_strata.period_end) from strata as all_strata)
),

daily_decisions as (
    select *
    from {{ ref('accuracy_decisions_by_day') }}
    where decided_on in (select periods.calendar_date from periods)
),

marked_decisions as (
    select
        daily_decisions.*,
        coalesce(
            daily_decisions.stratum_key is null
            and daily_decisions.exclusion_reason is null
            and daily_decisions.decided_on >= next_frame.first_day
            and daily_decisions.decided_on < next_frame.ends_before,
            false
        ) as is_pending
    from daily_decisions
    cross join next_frame
),

audits as (
    select *
    from {{ ref('fct_audits') }}
    where decided_on in (select periods.calendar_date from periods)
),

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
daily_audits as (
    {{ by_dimension('audits', audit_measures(), audit_measure_squares()) }} -- noqa: PRS
),

daily as (
    select
        decided_on,
        stratum_key,
        exclusion_reason,
        dimension_name,
        dimension_value,
        {% for name in measures -%}
        cast(0 as bigint) as {{ name }},
        {% endfor -%}
        {% for name in squares -%}
        cast(0 as decimal(38, 0)) as {{ name }},
        {% endfor -%}
        n_decisions,
        n_enforced_decisions,
        n_targeted_decisions,
        target_millionths,
        case when is_pending then n_decisions else 0 end as n_pending_decisions,
        case when is_pending then n_enforced_decisions else 0 end as n_pending_enforced_decisions
    from marked_decisions
    union all
    select
        decided_on,
        stratum_key,
        exclusion_reason,
        dimension_name,
        dimension_value,
        {% for name in measures + squares -%}
        {{ name }},
        {% endfor -%}
        0 as n_decisions,
        0 as n_enforced_decisions,
        0 as n_targeted_decisions,
        0 as target_millionths,
        0 as n_pending_decisions,
        0 as n_pending_enforced_decisions
    from daily_audits
)

select
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    daily.dimension_name,
    daily.dimension_value,
    daily.stratum_key,
    daily.exclusion_reason,
    {% for name in measures -%}
    cast(sum(daily.{{ name }}) as bigint) as {{ name }},
    {% endfor -%}
    {% for name in squares -%}
    cast(sum(daily.{{ name }}) as decimal(38, 0)) as {{ name }},
    {% endfor -%}
    cast(sum(daily.n_decisions) as bigint) as n_decisions,
    cast(sum(daily.n_enforced_decisions) as bigint) as n_enforced_decisions,
    cast(sum(daily.n_targeted_decisions) as bigint) as n_targeted_decisions,
    cast(sum(daily.target_millionths) as bigint) as target_millionths,
    cast(sum(daily.n_pending_decisions) as bigint) as n_pending_decisions,
    cast(sum(daily.n_pending_enforced_decisions) as bigint) as n_pending_enforced_decisions
from daily
inner join periods on daily.decided_on = periods.calendar_date
group by
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    daily.dimension_name,
    daily.dimension_value,
    daily.stratum_key,
    daily.exclusion_reason
