{%- set ratings = raw('calibration_ratings') -%}

with audits as (
    select * from {{ ref('fct_audits') }}
),

-- All that an audit has said, and when: it may have moved to another day.
audit_revisions as (
    select * from {{ ref('base_audits') }}
),

{% if is_full_build() -%}
changed_roster as (
    select
        timestamp '1970-01-01 00:00:00' as begins_at,
        timestamp '9999-12-31 00:00:00' as ends_at
),

{% else -%}
changed_roster as (
    {{ changed_periods('roster') }}
),

{% endif -%}
judged_again as (
    select audit_id
    from audits
    where {{ in_days_to_build('judged', "coalesce(decided_on, date '1970-01-01')") }}
),

calibrated as (
    select
        item_id,
        {{ reporting_date('rated_at') }} as rated_on,
        {{ in_days_to_build('calibration_ratings', recorded_on()) }} as is_new
    from ({{ ratings }}) as calibration_ratings
    where {{ known_as_of() }}
),

-- Who is on the roster says how few people a period of audits is about.
roster_days as (
    select all_days.calendar_date
    from (
        {{ date_series(
            "(select " ~ add_days('min(' ~ reporting_date('audited_at') ~ ')', -92)
            ~ " from audit_revisions)",
            "(select " ~ add_days('max(' ~ reporting_date('audited_at') ~ ')', 92)
            ~ " from audit_revisions)"
        ) }}
    ) as all_days
    inner join changed_roster as periods
        on {{ touches_day('periods.begins_at', 'periods.ends_at', 'all_days.calendar_date') }}
),

-- All ratings of an item: which of a rater's is a repeat hangs on the others.
calibrated_again as (
    select calibrated.item_id
    from calibrated
    left join changed_roster as periods
        on {{ touches_day('periods.begins_at', 'periods.ends_at', 'calibrated.rated_on') }}
    where calibrated.is_new or periods.begins_at is not null
),

rated as (
    select {{ reporting_date('audited_at') }} as built_on
    from audit_revisions
    where audit_id in (select judged_again.audit_id from judged_again)
    union
    select rated_on as built_on
    from calibrated
    where item_id in (select calibrated_again.item_id from calibrated_again)
    union
    select calendar_date as built_on
    from roster_days
)

select built_on from rated
where built_on is not null
union
select {{ week_start('built_on') }} as built_on from rated
where built_on is not null
{% for period in ['month', 'quarter'] -%}
union
select cast(date_trunc('{{ period }}', built_on) as date) as built_on from rated
where built_on is not null
{% endfor %}
