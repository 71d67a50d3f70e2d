-- What each alarm looks like, first to last: faults of the data before faults of the work.
with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

impact as (
    select * from {{ ref('int_monitoring__impact') }}
),

drivers as (
    select * from {{ ref('int_monitoring__drivers') }}
    where driver_round = 1 and is_driver
),

feeds as (
    select * from {{ ref('feed_alarms') }}
    where alarm_kind <> 'learning' and feed_measure <> 'statements_of_reasons'
),

policies as (
    select * from {{ ref('stg_policies') }}
),

models as (
    select
        dimension_value,
        min(decided_on) as first_day
    from {{ ref('slice_days') }}
    where dimension_name = 'model_version'
    group by dimension_value
),

as_of as (
    select {{ reporting_date('as_of') }} as as_of_on
    from {{ ref('int_context__as_of') }}
),

placed as (
    select
        episodes.episode_id,
        episodes.direction,
        episodes.since,
        episodes.window_starts_on,
        episodes.window_ends_on,
        episodes.window_days,
        episodes.n_errors,
        coalesce(drivers.dimension_name, episodes.dimension_name) as dimension_name,
        coalesce(drivers.dimension_value, episodes.dimension_value) as dimension_value
    from episodes
    left join drivers on episodes.episode_id = drivers.comparison_id
),

-- On how many of the window's days something was wrong with the data of the same queue, or of all.
disturbed as (
    select
        placed.episode_id,
        feeds.alarm_kind,
        sum(
            {{ days_between(
                'greatest(placed.window_starts_on, feeds.first_day)',
                'least(placed.window_ends_on, feeds.last_day)') }} + 1
        ) / cast(max(placed.window_days) as double) as share_of_days
    from placed
    inner join feeds
        on
            placed.window_ends_on >= feeds.first_day
            and placed.window_starts_on <= feeds.last_day
            and (
                feeds.dimension_name = 'overall'
                or placed.dimension_value = feeds.dimension_value
                or placed.dimension_value like concat(feeds.dimension_value, ' | %')
            )
    group by placed.episode_id, feeds.alarm_kind
),

by_kind as (
    select
        episode_id,
        max(case when alarm_kind = 'missing_data' then share_of_days else 0e0 end) as missing_data,
        max(case when alarm_kind = 'broken_feed' then share_of_days else 0e0 end) as broken_feed,
        max(case when alarm_kind = 'bulk_close' then share_of_days else 0e0 end) as bulk_close,
        max(case when alarm_kind = 'volume' then share_of_days else 0e0 end) as volume
    from disturbed
    group by episode_id
),

-- A version that began within a week of the first day.
revised as (
    select distinct placed.episode_id
    from placed
    inner join policies
        on
            placed.dimension_name like '%policy%'
            and (
                placed.dimension_value in (policies.policy_id, policies.parent_policy_id)
                or placed.dimension_value like concat('% | ', policies.parent_policy_id)
            )
            and abs({{ days_between(reporting_date('policies.valid_from'), 'placed.since') }}) <= 7
),

new_models as (
    select distinct placed.episode_id
    from placed
    inner join models
        on
            (
                placed.dimension_name = 'model_version'
                or placed.dimension_value = 'automation'
                or placed.dimension_value like '% | automation'
            )
            and abs({{ days_between('models.first_day', 'placed.since') }}) <= 7
),

judged as (
    select
        placed.*,
        case
            {% for kind in ['missing_data', 'broken_feed', 'bulk_close'] -%}
            when by_kind.{{ kind }} >= 0.5 then '{{ kind }}'
            {% endfor -%}
            when impact.plan_shift >= ln(1.5) then 'audit_plan_change'
            when impact.largest_auditor_share > 0.5 and placed.n_errors >= 5 then 'one_auditor'
            when
                impact.completion_rate < 0.9
                and {{ days_between('placed.window_ends_on', 'as_of.as_of_on') }}
                > {{ var('audits_due_days') }} + 7
                then 'late_audits'
        end as fault_of_data,
        case
            when placed.direction = 'better' then 'improvement'
            when revised.episode_id is not null then 'policy_change'
            when new_models.episode_id is not null then 'model_change'
            when placed.dimension_name like '%tenure_band' then 'cohort'
            when by_kind.volume > 0 then 'volume'
            else 'accuracy_drop'
        end as fault_of_work
    from placed
    cross join as_of
    inner join impact on placed.episode_id = impact.episode_id
    left join by_kind on placed.episode_id = by_kind.episode_id
    left join revised on placed.episode_id = revised.episode_id
    left join new_models on placed.episode_id = new_models.episode_id
)

select
    episode_id,
    coalesce(fault_of_data, fault_of_work) as suspected_kind,
    fault_of_data is not null as is_data_suspect
from judged
