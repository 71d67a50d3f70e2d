{% set sheet = sheet_mapping() -%}
{% set moments = {'audited_at': true, 'decided_at': false} -%}
{% set people = ['auditor_id', 'moderator_id'] -%}
{% set names = ['queue_id', 'decided_policy_id', 'truth_policy_id'] -%}
{% set flags = ['is_critical', 'is_technical_error', 'is_blind', 'is_disputed'] -%}
with sheet as (
    select *
    from {{ numbered_rows(sheet_file('sheet')) }}
),

cells as (
    select
        {% for name in sheet_columns() -%}
        {{ sheet_text(name) }} as {{ name }},
        {% endfor -%}
        cast(row_no as bigint) as row_no
    from sheet
),

typed as (
    select
        row_no,
        audit_id,
        item_id,
        {% for name, is_end_of_day in moments.items() -%}
        {{ name }} as {{ name }}_text,
        {{ sheet_moment(name, is_end_of_day) }} as {{ name }},
        {% endfor -%}
        {% for name in people -%}
        {{ sheet_name(name) }} as {{ name }},
        {% endfor -%}
        {% for name in names -%}
        {{ name }} as {{ name | replace('_id', '_name') }},
        lower({{ name }}) as {{ name }},
        {% endfor -%}
        {% for name in flags -%}
        {{ sheet_flag(name) }} as {{ name }},
        {% endfor -%}
        {{ sheet_word('actions', 'decided_action_code') }} as decided_action_code,
        {{ sheet_word('actions', 'truth_action_code') }} as truth_action_code,
        {{ sheet_word('severities', 'severity') }} as severity,
        {{ sheet_word('sampling_methods', 'sampling_method') }} as sampling_word,
        coalesce({{ sheet_word('audit_statuses', 'audit_status') }}, 'final') as audit_status,
        {{ sheet_word('dispute_outcomes', 'dispute_outcome') }} as dispute_outcome,
        score as score_text,
        {{ try_cast("replace(replace(replace(score, '%', ''), ' ', ''), ',', '.')", 'double') }}
            as score_number,
        score like '%\%' escape '\' as has_percent_sign
    from cells
),

judged as (
    select
        *,
        concat(item_id, ':', moderator_id) as decision_id,
        case
            -- A line of sums or averages, or nothing.
            when audit_id is null and item_id is null then 'total_row'
            when audit_id is null then 'no_audit_id'
            when item_id is null then 'no_item'
            when moderator_id is null then 'no_moderator'
            when audited_at is null then 'audit_date_is_no_date'
            when decided_at is null then 'decision_time_is_no_date'
            when decided_action_code is null then 'no_decision'
            when audited_at < decided_at then 'audited_before_it_was_decided'
        end as rejected_because
    from typed
),

numbered as (
    select
        *,
        row_number() over (
            partition by audit_id, rejected_because is null order by audited_at, row_no
        ) as nth,
        count(*) over (partition by audit_id, rejected_because is null) as n_revisions
    from judged
)

select
    row_no,
    audit_id,
    cast(case when rejected_because is null then nth end as bigint) as revision_no,
    case
        when rejected_because is not null then 'rejected'
        when nth < n_revisions then 'superseded'
        else audit_status
    end as fate,
    rejected_because,
    case
        when rejected_because is not null then null
        when dispute_outcome = 'overturned' then 'overturned_without_what_is_right'
        when truth_action_code is null then 'truth_missing'
        when sampling_word is null then 'sample_type_missing'
    end as remark,
    decision_id,
    item_id,
    moderator_id,
    auditor_id,
    queue_id,
    queue_name,
    decided_at,
    decided_at_text,
    decided_action_code,
    decided_policy_id,
    decided_policy_name,
    truth_action_code,
    truth_policy_id,
    truth_policy_name,
    severity,
    is_critical,
    is_technical_error,
    is_blind,
    -- How an audit was chosen is not guessed: what is blank or unknown was chosen on purpose.
    case
        when sampling_word in ('random', 'simple_random', 'stratified_random') then 'simple_random'
        when
            sampling_word in ('appeal', 'escalation', 'golden', 'calibration', 'benchmark')
            then sampling_word
        else 'targeted'
    end as sampling_method,
    audit_status,
    audited_at,
    audited_at_text,
    score_text,
    {% if sheet.score_scale == 'percent' -%}
    -- 1 may be 1 % or all; with its sign it is 1 %.
    case
        when
            score_number between 0 and 100
            and (has_percent_sign or score_number = 0 or score_number > 1)
            then score_number
    end as score,
    {% elif sheet.score_scale == 'share' -%}
    case
        when has_percent_sign and score_number between 0 and 100 then score_number
        when not has_percent_sign and score_number between 0 and 1 then 100 * score_number
    end as score,
    {% else -%}
    cast(null as double) as score,
    {% endif -%}
    case
        when is_disputed or dispute_outcome is not null then coalesce(dispute_outcome, 'pending')
    end as dispute_outcome
from numbered
