{#- measures: of jobs and of items (chains of escalated jobs), each job or item counted once. -#}
{% set ends = ['job_made', 'enqueued_after_as_of', 'decided_before_enqueued'] -%}
{% set measures = {} -%}
{% for name in ['n', 'n_ended', 'n_decided', 'n_auto_closed', 'n_items', 'n_items_ended',
    'n_items_decided', 'n_skipped_twice', 'n_opened', 'opened_seconds'] + ends -%}
{%- do measures.update({name: 'cast(sum(' ~ name ~ ') as bigint)'}) -%}
{% endfor -%}

{% set is_left_out, not_left_out = [], [] -%}
{% for name in ends -%}
{% do is_left_out.append(one_where("jobs.left_out_reason = '" ~ name ~ "'") ~ ' as ' ~ name) -%}
{% do not_left_out.append('0 as ' ~ name) -%}
{% endfor %}
{% set dimensions, more = job_dimensions(), ['wait_seconds'] %}
-- noqa: PRS here: sqlfluff's DuckDB dialect does not know grouping sets.
with jobs as {{ read_anew() }} (
    select * from {{ ref('fct_jobs') }}
),

chains as (
    select distinct first_job_id
    from {{ ref('int_jobs__chains') }}
),

chained as (
    select
        jobs.first_job_id,
        min(jobs.enqueued_at) as enqueued_at,
        min(jobs.enqueued_on) as enqueued_on,
        max(case when jobs.job_id = jobs.first_job_id then jobs.queue_id end) as queue_id,
        max(case when jobs.job_id = jobs.first_job_id then jobs.reported_policy_id end)
            as reported_policy_id,
        max(case when jobs.job_id = jobs.first_job_id then jobs.language end) as language,
        min(case when jobs.closed_how in ('decided', 'answered') then jobs.closed_at end)
            as decided_at,
        max(case when jobs.closed_how in ('auto_closed', 'other') then jobs.closed_at end)
            as auto_closed_at,
        max(coalesce(jobs.closed_at, as_of.as_of)) as last_seen_at,
        max(case when jobs.is_open then 1 else 0 end) as is_open
    from jobs
    inner join chains on jobs.first_job_id = chains.first_job_id
    cross join {{ ref('int_context__as_of') }} as as_of
    where jobs.left_out_reason is null
    group by jobs.first_job_id
),

-- An item ends with a decision, or when its last visit is closed by a rule. An escalation to where
-- no job is known is no end: it waited at least so long.
items as (
    select
        chained.*,
        {{ seconds_between('enqueued_at', 'coalesce(decided_at, last_seen_at)') }} as wait_seconds,
        case when decided_at is not null then 1 else 0 end as is_decided,
        case
            when decided_at is not null then 1
            when is_open = 0 and auto_closed_at = last_seen_at then 1
            else 0
        end as is_ended
    from chained
),

counted as (
    select
        jobs.enqueued_on,
        jobs.queue_id,
        jobs.reported_policy_id,
        jobs.language,
        {{ wait_step('jobs.wait_seconds') }} as wait_seconds,
        case when jobs.left_out_reason is null then 1 else 0 end as n,
        case when jobs.left_out_reason is null and not jobs.is_open then 1 else 0 end as n_ended,
        case
            when jobs.left_out_reason is null and jobs.closed_how in ('decided', 'answered') then 1
            else 0
        end as n_decided,
        case
            when jobs.left_out_reason is null and jobs.closed_how = 'auto_closed' then 1 else 0
        end as n_auto_closed,
        case when jobs.left_out_reason is null and chains.first_job_id is null then 1 else 0 end
            as n_items,
        case
            when
                jobs.left_out_reason is null
                and chains.first_job_id is null
                and coalesce(jobs.closed_how, 'escalated') <> 'escalated'
                then 1
            else 0
        end as n_items_ended,
        case
            when
                jobs.left_out_reason is null
                and chains.first_job_id is null
                and jobs.closed_how in ('decided', 'answered')
                then 1
            else 0
        end as n_items_decided,
        case when jobs.left_out_reason is null and jobs.n_skips >= 2 then 1 else 0 end
            as n_skipped_twice,
        case
            when jobs.left_out_reason is null and jobs.first_opened_at >= jobs.enqueued_at then 1
            else 0
        end as n_opened,
        case
            when jobs.left_out_reason is null and jobs.first_opened_at >= jobs.enqueued_at
                then {{ seconds_between('jobs.enqueued_at', 'jobs.first_opened_at') }}
            else 0
        end as opened_seconds,
        {{ is_left_out | join(',\n        ') }}
    from jobs
    left join chains on jobs.first_job_id = chains.first_job_id
    union all
    select
        enqueued_on,
        queue_id,
        reported_policy_id,
        language,
        {{ wait_step('wait_seconds') }} as wait_seconds,
        0 as n,
        0 as n_ended,
        0 as n_decided,
        0 as n_auto_closed,
        1 as n_items,
        is_ended as n_items_ended,
        is_decided as n_items_decided,
        0 as n_skipped_twice,
        0 as n_opened,
        0 as opened_seconds,
        {{ not_left_out | join(',\n        ') }}
    from items
)

{{ sums_by_week_and_month('counted', 'enqueued_on', dimensions, measures, more) }} -- noqa: PRS
