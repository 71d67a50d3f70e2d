{%- set decisions = ref('base_decisions') -%}
{%- set jobs = ref('base_review_jobs') -%}
{%- set audits = ref('base_audits') -%}
{%- set revisions = ref('int_deliveries__decision_revisions') -%}
{%- set frame = ref('stg_sampling_frame') -%}
{%- set disputes = raw('disputes') -%}
{%- set scores = raw('audit_scores') -%}
{%- set new_jobs -%}
    select job_id
    from {{ jobs }}
    where {{ in_days_to_build('review_jobs', 'recorded_on') }}
{%- endset -%}
{#- All rows of an audit that came again, was scored or disputed, or whose auditor moved: it may
    have gone to another decision, as a dispute may have to another audit. -#}
{%- set audited -%}
    select decision_id
    from {{ audits }}
    where
        audit_id in (
            select audit_id
            from {{ audits }}
            where {{ in_days_to_build('audits', 'recorded_on') }}
        )
        or audit_id in (
            select audit_id
            from ({{ scores }}) as new_scores
            where {{ in_days_to_build('audit_scores', recorded_on(), 'recorded_at') }}
        )
        or audit_id in (
            select audit_id
            from ({{ disputes }}) as all_disputes
            where
                dispute_id in (
                    select dispute_id
                    from ({{ disputes }}) as new_disputes
                    where {{ in_days_to_build('disputes', recorded_on(), 'recorded_at') }}
                )
        )
        or audit_id in (
            select audits_of_moved.audit_id
            from {{ audits }} as audits_of_moved
            inner join ({{ changed_periods('roster') }}) as periods
                on {{ touches_day(
                    'periods.begins_at', 'periods.ends_at',
                    reporting_date('audits_of_moved.audited_at')) }}
        )
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
),

{% if is_full_build() -%}
decided as (
    select calendar_date as built_on
    from all_days
),

judged as (
    select built_on from decided
)

{% else -%}
{% for table, periods in changed.items() -%}
changed_{{ table }} as (
    {{ periods }}
),

{% endfor -%}
decided as (
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
    {% for table in changed -%}
    union
    select all_days.calendar_date as built_on
    from changed_{{ table }} as periods
    inner join all_days on {{ touches_day('periods.begins_at', 'periods.ends_at') }}
    {% endfor %}
),

audited as (
    select built_on from decided
    union
    select decided_on as built_on
    from {{ decisions }}
    where {{ in_range_of('decision_id', audited) }} and decision_id in ({{ audited }})
),

-- An audit more changes the weight of all audits of its stratum.
changed_strata as (
    select distinct
        frame.period_start,
        frame.period_end
    from {{ frame }} as frame
    inner join audited as all_days
        on {{ touches_day('frame.period_start', 'frame.period_end', 'all_days.built_on') }}
),

judged as (
    select built_on from audited
    union
    -- The day of audits whose decision is not known.
    select date '1970-01-01' as built_on
    union
    select all_days.calendar_date as built_on
    from changed_strata
    inner join all_days
        on {{ touches_day('changed_strata.period_start', 'changed_strata.period_end') }}
)

{% endif %}
{% for day_set in ['decided', 'judged'] -%}
select
    '{{ day_set }}' as day_set,
    built_on
from {{ day_set }}
{{ 'union all' if not loop.last }}
{% endfor %}
