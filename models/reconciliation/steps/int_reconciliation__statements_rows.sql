{% set regions = var('ledger_regions') -%}
{#- Reason, kind of code in the seed, our column, the ledger's. -#}
{% set coded = [
    ('automation_differs', 'automation', 'decided_by_type', 'automated_decision'),
    ('category_differs', 'category', 'category_policy_id', 'category'),
    ('source_differs', 'source', 'enqueue_reason', 'source_type'),
] -%}

with statements as {{ read_anew() }} (
    select * from {{ ref('stg_statements_of_reasons') }}
),

codes as (
    select
        kind,
        our_code,
        ledger_code
    from {{ ref('ledger_codes') }}
    union all
    select
        'category' as kind,
        policy_id as our_code,
        coalesce(ledger_category, category) as ledger_code
    from {{ ref('dsa_categories') }}
),

jobs as (
    select * from {{ ref('stg_review_jobs') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

decisions as {{ read_anew() }} (
    select
        decision_id,
        item_id,
        supersedes_decision_id,
        decided_at,
        decided_at + interval '{{ var("ledger_late_hours") }}' hour as due_at,
        decided_on,
        decided_by_type,
        action_code,
        action_group,
        exclusion_reason,
        coalesce(parent_policy_id, policy_id) as category_policy_id,
        {% if regions -%}
        coalesce(region in ('{{ regions | join("', '") }}'), false) as is_in_territory,
        {% else -%}
        true as is_in_territory,
        {% endif -%}
        coalesce(
            action_group = 'enforced'
            {% for code in var('ledger_exempt_actions') -%}
            and action_code <> '{{ code }}'
            {% endfor -%}
            , false
        ) as is_restriction
    from {{ ref('fct_decisions') }}
),

undone as (
    select
        supersedes_decision_id as decision_id,
        min(decided_at) as undone_at
    from decisions
    where exclusion_reason = 'reversal' and supersedes_decision_id is not null
    group by supersedes_decision_id
),

submissions as (
    select
        min({{ reporting_date('submitted_at') }}) as first_day,
        max(submitted_at) as last_at
    from statements
),

stated_days as (
    select decisions.decided_on
    from statements
    inner join decisions on statements.decision_id = decisions.decision_id
    group by decisions.decided_on
),

-- Restrictions without a statement: of some it is in order.
unstated as (
    select
        decisions.decision_id,
        decisions.decided_on,
        case
            when not decisions.is_restriction then 'not_in_scope'
            when not decisions.is_in_territory then 'outside_territory'
            when decisions.decided_on < submissions.first_day then 'before_ledger'
            when undone.undone_at <= decisions.due_at then 'reversed_before_submission'
            when decisions.due_at > as_of.as_of and decisions.decided_at > submissions.last_at
                then 'statement_not_due'
            when stated_days.decided_on is null then 'submission_gap'
            else 'no_statement'
        end as reason_code
    from decisions
    cross join submissions
    cross join as_of
    left join undone on decisions.decision_id = undone.decision_id
    left join stated_days on decisions.decided_on = stated_days.decided_on
    where
        decisions.action_group = 'enforced'
        and submissions.first_day is not null
        and not exists (
            select 1
            from statements
            where statements.decision_id = decisions.decision_id
        )
),

matched as (
    select
        statements.*,
        decisions.decision_id as our_decision_id,
        decisions.item_id,
        decisions.due_at,
        coalesce(decisions.decided_on, {{ reporting_date('statements.submitted_at') }})
            as happened_on,
        decisions.decided_by_type,
        decisions.category_policy_id,
        decisions.action_code,
        coalesce(decisions.action_group = 'enforced', false) as is_enforced,
        row_number() over (
            partition by statements.decision_id
            order by statements.submitted_at, statements.statement_id
        ) as nth,
        row_number() over (
            partition by
                statements.decision_id, statements.restriction, statements.category,
                statements.automated_decision
            order by statements.submitted_at, statements.statement_id
        ) as nth_alike,
        max(case when statements.restriction = decisions.action_code then 1 else 0 end) over (
            partition by statements.decision_id
        ) = 1 as is_action_stated
    from statements
    left join decisions on statements.decision_id = decisions.decision_id
),

-- Statements beyond the one that each restriction has.
surplus as (
    select
        statement_id,
        happened_on,
        case
            when our_decision_id is null then 'no_decision'
            when not is_enforced then 'no_restriction'
            when nth_alike > 1 then 'duplicate_statement'
            else 'several_statements'
        end as reason_code
    from matched
    where our_decision_id is null or not is_enforced or nth > 1
),

-- Why the item was looked at first: its later jobs are escalations and appeals of that.
first_looks as (
    select
        item_id,
        enqueue_reason
    from (
        select
            item_id,
            enqueue_reason,
            row_number() over (partition by item_id order by enqueued_at, job_id) as nth_look
        from jobs
        where
            exists (
                select 1
                from matched
                where matched.source_type is not null and matched.item_id = jobs.item_id
            )
    ) as looks
    where nth_look = 1
),

-- What a statement says otherwise than its decision.
said as (
    select
        matched.*,
        first_looks.enqueue_reason
    from matched
    left join first_looks on matched.item_id = first_looks.item_id
    where matched.our_decision_id is not null and matched.is_enforced
),

otherwise as (
    {% for reason, kind, ours, theirs in coded -%}
    -- Compared where the seed knows our code, and the statement says one.
    select
        said.statement_id,
        said.happened_on,
        case
            when said.{{ theirs }} like '%OTHER_VIOLATION%' then 'category_catch_all'
            else '{{ reason }}'
        end as reason_code
    from said
    where
        said.{{ theirs }} is not null
        and said.{{ ours }} in (
            select codes.our_code from codes
            where codes.kind = '{{ kind }}'
        )
        and not exists (
            select 1
            from codes
            where
                codes.kind = '{{ kind }}'
                and codes.our_code = said.{{ ours }}
                and codes.ledger_code = said.{{ theirs }}
        )
    union all
    {% endfor -%}
    select
        statement_id,
        happened_on,
        'action_differs' as reason_code
    from said
    where restriction is not null and not is_action_stated
    union all
    select
        statement_id,
        happened_on,
        'day_differs' as reason_code
    from said
    where applied_on <> happened_on
    union all
    select
        statement_id,
        happened_on,
        'submitted_late' as reason_code
    from said
    where submitted_at > due_at
),

named as (
    select
        'decisions' as table_name,
        decision_id as row_id,
        decided_on as happened_on,
        reason_code,
        1 as n_left_more
    from unstated
    union all
    select
        'statements_of_reasons' as table_name,
        statement_id as row_id,
        happened_on,
        reason_code,
        -1 as n_left_more
    from surplus
    union all
    select
        'statements_of_reasons' as table_name,
        statement_id as row_id,
        happened_on,
        reason_code,
        0 as n_left_more
    from otherwise
)

select
    'decisions_to_statements' as check_name,
    table_name,
    row_id,
    happened_on,
    reason_code,
    -- Named and in order, as against named and wrong.
    reason_code in (
        'before_ledger', 'reversed_before_submission', 'statement_not_due', 'not_in_scope',
        'outside_territory', 'several_statements', 'day_differs'
    ) as is_explained,
    cast(n_left_more as bigint) as n_left_more
from named
