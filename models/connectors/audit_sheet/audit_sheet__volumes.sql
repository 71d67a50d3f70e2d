{% set has_volumes = sheet_mapping().volumes is not none -%}
with volumes as (
    {% if has_volumes -%}
    select
        {% for name in volume_columns() -%}
        {{ sheet_text(name, 'volume_columns') }} as {{ name }},
        {% endfor -%}
        row_no
    from {{ numbered_rows(sheet_file('volumes')) }}
    {%- else -%}
    select
        {% for name in volume_columns() -%}
        cast(null as string) as {{ name }},
        {% endfor -%}
        0 as row_no
    {%- endif %}
),

actions as (
    select * from {{ ref('action_codes') }}
),

typed as (
    select
        {{ parsed_time('volumes.week_starts_on', sheet_mapping().date_formats) }} as week_starts_on,
        volumes.queue_id as queue_name,
        lower(volumes.queue_id) as queue_id,
        {{ sheet_word('actions', 'volumes.action_code') }} as action_code,
        {{ sheet_count('volumes.population_size') }} as population_size,
        {{ sheet_count('volumes.planned_sample_size') }} as planned_sample_size
    from volumes
    where volumes.week_starts_on is not null
),

by_group as (
    select
        typed.week_starts_on,
        typed.queue_id,
        min(typed.queue_name) as queue_name,
        case when actions.is_enforcing then 'enforced' else 'not_enforced' end as action_group,
        min(typed.action_code) as action_code,
        sum(typed.population_size) as population_size,
        case
            when count(*) = count(typed.planned_sample_size) then sum(typed.planned_sample_size)
        end as planned_sample_size
    from typed
    inner join actions on typed.action_code = actions.action_code
    where actions.exclusion_reason is null
    group by typed.week_starts_on, typed.queue_id, actions.is_enforcing
)

select
    concat(queue_id, '|', action_group) as stratum_id,
    queue_id,
    queue_name,
    action_group,
    action_code,
    {{ utc_timestamp('week_starts_on', sheet_mapping().timezone) }} as period_start,
    {{ utc_timestamp(
        'cast(' ~ add_days('cast(week_starts_on as date)', 7) ~ ' as timestamp)',
        sheet_mapping().timezone) }} as period_end,
    cast(population_size as bigint) as population_size,
    cast(planned_sample_size as bigint) as planned_sample_size
from by_group
