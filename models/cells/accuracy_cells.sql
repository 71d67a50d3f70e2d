{% set measures = audit_measures().keys() | list -%}
{% set squares = audit_measure_squares().keys() | list -%}
{% set decisions = [
    'n_decisions', 'n_enforced_decisions', 'n_targeted_decisions', 'target_millionths',
] -%}
{% set pending = ['n_pending_decisions', 'n_pending_enforced_decisions'] -%}
{% set keys = ['dimension_name', 'dimension_value', 'stratum_key', 'exclusion_reason'] -%}

with calendar as (
    select * from {{ ref('dim_calendar') }}
),

periods as (
    {{ periods_of_days('calendar') }}
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
    select * from {{ ref('accuracy_decisions_by_day') }}
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
    select * from {{ ref('fct_audits') }}
),

-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
daily_audits as (
    {{ by_dimension('audits', audit_measures(), audit_measure_squares()) }} -- noqa: PRS
),

daily as (
    select
        {{ keys | join(', ') }},
        {% for name in measures -%}
        cast(0 as bigint) as {{ name }},
        {% endfor -%}
        {% for name in squares -%}
        cast(0 as decimal(38, 0)) as {{ name }},
        {% endfor -%}
        {{ decisions | join(', ') }},
        case when is_pending then n_decisions else 0 end as n_pending_decisions,
        case when is_pending then n_enforced_decisions else 0 end as n_pending_enforced_decisions,
        decided_on
    from marked_decisions
    union all
    select
        {{ (keys + measures + squares) | join(', ') }},
        {% for name in decisions + pending -%}
        0 as {{ name }},
        {% endfor -%}
        decided_on
    from daily_audits
)

select
    periods.period_type,
    periods.period_starts_on,
    {% for key in keys -%}
    daily.{{ key }},
    {% endfor -%}
    {% for name in measures + decisions + pending -%}
    cast(sum(daily.{{ name }}) as bigint) as {{ name }},
    {% endfor -%}
    {% for name in squares -%}
    cast(sum(daily.{{ name }}) as decimal(38, 0)) as {{ name }},
    {% endfor -%}
    periods.period_ends_on
from daily
inner join periods on daily.decided_on = periods.calendar_date
group by
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    daily.{{ keys | join(', daily.') }}
