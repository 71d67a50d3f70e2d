{%- set decisions = ref('base_decisions') -%}
{%- set jobs = ref('base_review_jobs') -%}
{%- set revisions = ref('int_deliveries__decision_revisions') -%}
{%- set audits = raw('audits') -%}
{%- set new_jobs -%}
    select job_id
    from {{ jobs }}
    where {{ in_days_to_build('review_jobs', 'recorded_on') }}
{%- endset -%}
{%- set new_audits -%}
    select audit_id
    from ({{ audits }}) as new_audits
    where {{ in_days_to_build('audits', recorded_on(), 'recorded_at') }}
{%- endset -%}
{%- set audited -%}
    select decision_id
    from ({{ audits }}) as audits
    where audit_id in ({{ new_audits }})
{%- endset -%}
{%- set changed = {
    'sampling_frame': changed_periods('sampling_frame', 'period_start', 'period_end'),
    'roster': changed_periods('roster'),
    'policies': changed_periods('policies'),
} -%}
{%- if is_full_build() -%}
select distinct
    decided_on,
    true as is_decision_changed
from {{ decisions }}
{%- else -%}
with all_days as (
    {{ date_series(
        '(select min(decided_on) from ' ~ decisions ~ ')',
        '(select max(decided_on) from ' ~ decisions ~ ')'
    ) }}
),

{% for table, periods in changed.items() -%}
changed_{{ table }} as (
    {{ periods }}
),

{% endfor -%}
changed_days as (
    select
        decided_on,
        true as is_decision_changed
    from {{ decisions }}
    where {{ in_days_to_build('decisions', 'recorded_on') }}
    union all
    -- Where an earlier revision had put the decision.
    select
        coalesce({{ reporting_date('decided_at') }}, date '1970-01-01') as decided_on,
        true as is_decision_changed
    from {{ revisions }}
    where {{ in_days_to_build('decisions', 'found_on') }}
    union all
    -- A job that came after its decision, or was corrected.
    select
        decided_on,
        true as is_decision_changed
    from {{ decisions }}
    where {{ in_range_of('job_id', new_jobs) }} and job_id in ({{ new_jobs }})
    {% for table in changed -%}
    union all
    -- A day more on both sides: periods are in UTC, days are those of the reporting calendar.
    select
        all_days.calendar_date as decided_on,
        true as is_decision_changed
    from changed_{{ table }} as periods
    inner join all_days
        on
            all_days.calendar_date >= {{ add_days('cast(periods.begins_at as date)', -1) }}
            and cast({{ add_days('all_days.calendar_date', -1) }} as timestamp) <= periods.ends_at
    {% endfor -%}
    union all
    -- Audits touch no decision, but their decision is looked up again.
    select
        decided_on,
        false as is_decision_changed
    from {{ decisions }}
    where {{ in_range_of('decision_id', audited) }} and decision_id in ({{ audited }})
)

select
    decided_on,
    max(is_decision_changed) as is_decision_changed
from changed_days
group by decided_on
{%- endif %}
