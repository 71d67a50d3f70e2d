{#- All that is asked stands before the condition: dbt looks for refs in a full build. -#}
{%- set decisions = ref('base_decisions') -%}
{%- set revisions = ref('int_deliveries__decision_revisions') -%}
{%- set new_jobs -%}
    select job_id
    from {{ ref('base_review_jobs') }}
    where {{ in_days_to_build('review_jobs', 'recorded_on') }}
{%- endset -%}
{%- set changed = {
    'sampling_frame': changed_periods('sampling_frame', 'period_start', 'period_end'),
    'roster': changed_periods('roster'),
    'policies': changed_periods('policies'),
    'queues': changed_periods('queues'),
} -%}
with all_days as (
    {{ date_series(
        '(select min(decided_on) from ' ~ decisions ~ ')',
        '(select max(decided_on) from ' ~ decisions ~ ')'
    ) }}
)

{% if is_full_build() -%}
select calendar_date as built_on
from all_days
{% else -%}
select decided_on as built_on
from {{ decisions }}
where {{ in_days_to_build('decisions', 'recorded_on') }}
union
-- Where an earlier revision had put the decision.
select {{ decided_on() }} as built_on
from {{ revisions }}
where {{ in_days_to_build('decisions', 'found_on') }}
union
-- A job that came after its decision, or was corrected.
select decided_on as built_on
from {{ decisions }}
where {{ in_range_of('job_id', new_jobs) }} and job_id in ({{ new_jobs }})
{% for table, periods in changed.items() -%}
union
-- Days on which {{ table }} may say something else.
select all_days.calendar_date as built_on
from ({{ periods }}) as periods
inner join all_days on {{ touches_day('periods.begins_at', 'periods.ends_at') }}
{% endfor -%}
{% endif -%}
