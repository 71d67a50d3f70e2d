{% set dimensions = reporting_dimensions() %}
{% do dimensions.update({
    'sampling_method': 'sampling_method',
    'auditor_tier': "coalesce(auditor_tier, 'unknown')",
}) %}
{% set keys = [
    'period_type', 'period_starts_on', 'dimension_name', 'dimension_value', 'period_ends_on',
] %}
{% set counts = [
    'n_audits_with_error', 'n_audits_disputed', 'n_disputes', 'n_pending', 'n_withdrawn', 'n_upheld',
    'n_overturned', 'n_resolved',
] %}

with verdicts as (
    select
        *,
        case
            when sampling_method = 'benchmark' then 'benchmark'
            when found_error_class is null then 'finding_unknown'
        end as left_out_reason
    from {{ ref('int_verdicts__audits') }}
    where {{ near_days_to_build('rated_by_quarter', 'audited_on') }}
),

disputes as (
    select * from {{ ref('stg_disputes') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

by_audit as (
    select
        audit_id,
        count(*) as n_disputes,
        sum(case when outcome = 'pending' then 1 else 0 end) as n_pending,
        sum(case when outcome = 'upheld' then 1 else 0 end) as n_upheld,
        sum(case when outcome = 'overturned' then 1 else 0 end) as n_overturned,
        sum(case when outcome = 'withdrawn' then 1 else 0 end) as n_withdrawn
    from disputes
    group by audit_id
),

audits as (
    select
        verdicts.*,
        coalesce(
            verdicts.left_out_reason is null and verdicts.found_error_class <> 'correct', false
        ) as has_found_error,
        {% for state in ['disputes', 'pending', 'upheld', 'overturned', 'withdrawn'] -%}
        case
            when verdicts.left_out_reason is null then coalesce(by_audit.n_{{ state }}, 0)
            else 0
        end as n_{{ state }},
        {% endfor -%}
        case when verdicts.left_out_reason is null then 0 else by_audit.n_disputes end as n_excluded
    from verdicts
    left join by_audit on verdicts.audit_id = by_audit.audit_id
    where verdicts.left_out_reason is null or by_audit.audit_id is not null
),

grouped as (
    {{ by_period_and_dimension(
        'audits', 'audited_on', dimensions, day_set='rated_by_quarter', types=rare_period_types()) }}
),

counted as (
    select
        {{ keys | join(', ') }},
        cast(sum(case when left_out_reason is null then 1 else 0 end) as bigint) as n_audits,
        cast(sum(case when has_found_error then 1 else 0 end) as bigint) as n_audits_with_error,
        cast(sum(case when has_found_error and n_disputes > 0 then 1 else 0 end) as bigint)
            as n_audits_disputed,
        cast(sum(n_disputes) as bigint) as n_disputes,
        cast(sum(n_pending) as bigint) as n_pending,
        cast(sum(n_withdrawn) as bigint) as n_withdrawn,
        cast(sum(n_upheld) as bigint) as n_upheld,
        cast(sum(n_overturned) as bigint) as n_overturned,
        cast(sum(n_upheld + n_overturned) as bigint) as n_resolved,
        cast(sum(n_excluded) as bigint) as n_excluded,
        sum(case when left_out_reason = 'benchmark' then n_excluded else 0 end) as n_benchmark,
        sum(case when left_out_reason = 'finding_unknown' then n_excluded else 0 end)
            as n_finding_unknown
    from grouped
    group by {{ keys | join(', ') }}
),

audited as (
    select * from counted
    where n_audits > 0
),

head_counts as (
    {{ head_counts('audited', 'roster') }}
),

shown as (
    select
        {% for key in keys -%}
        counted.{{ key }},
        {% endfor -%}
        {% for name in counts -%}
        case when head_counts.few_people_code is null then counted.{{ name }} end as {{ name }},
        {% endfor -%}
        head_counts.few_people_code,
        counted.n_audits,
        counted.n_excluded,
        counted.n_benchmark,
        counted.n_finding_unknown
    from counted
    left join head_counts on {{ same_keys('counted', 'head_counts', keys) }}
),

judged as (
    select
        *,
        nullif(
            concat_ws(
                ', ',
                {% for reason in ['benchmark', 'finding_unknown'] -%}
                case
                    when n_{{ reason }} > 0
                        then concat('{{ reason }}=', cast(n_{{ reason }} as string))
                end{{ ',' if not loop.last }}
                {% endfor %}
            ),
            ''
        ) as excluded_by_reason,
        case
            when few_people_code is not null then few_people_code
            when n_audits_with_error = 0 then 'no_errors_found'
            when n_audits_with_error < {{ var('min_audits') }} then 'too_few_audits'
        end as reason_code,
        case
            when few_people_code is not null then few_people_code
            when n_disputes = 0 then 'no_disputes'
            when n_resolved = 0 then 'none_resolved'
            when n_resolved < {{ var('min_audits') }} then 'too_few_disputes'
        end as overturn_reason_code
    from shown
)

select
    judged.period_type,
    judged.period_starts_on,
    judged.dimension_name,
    judged.dimension_value,
    judged.period_ends_on,
    judged.reason_code is null as is_reportable,
    judged.reason_code,
    judged.overturn_reason_code is null as is_overturn_reportable,
    judged.overturn_reason_code,
    judged.n_audits,
    judged.n_audits_with_error,
    judged.n_audits_disputed,
    judged.n_disputes,
    judged.n_pending,
    judged.n_withdrawn,
    judged.n_upheld,
    judged.n_overturned,
    judged.n_resolved,
    judged.n_excluded,
    judged.excluded_by_reason,
    {{ share_with_interval(
        'judged.n_audits_disputed', 'judged.n_audits_with_error', 'dispute_rate') }},
    {{ share_with_interval('judged.n_overturned', 'judged.n_resolved', 'overturn_rate') }},
    cast({{ var('confidence_level') }} as double) as confidence_level,
    as_of.as_of
from judged
cross join as_of
