-- An auditor, or a week, that finds next to no error where others find many, in the same queues and
-- among the same kind of decisions: the truth may be a copy of the decision. An auditor who finds
-- three times as many may fill in one truth for all; a week with as many may be an incident.
-- Expected are the errors that the others' rates would give; surprise is -log of the most that
-- chance allows for a count so far from it (Chernoff's bound of a Poisson count), 16 being one in
-- nine million. Technical errors are not the auditor's finding.
with audits as (
    select
        auditor_key,
        cast({{ week_start('decided_on') }} as string) as week_name,
        coalesce(queue_id, 'unknown') as queue_id,
        has_enforced,
        1 - n_correct as n_errors
    from {{ ref('fct_audits') }}
    where is_counted and error_class <> 'technical'
),

kinds as (
    select
        queue_id,
        has_enforced,
        count(*) as n_audits,
        sum(n_errors) as n_errors
    from audits
    group by queue_id, has_enforced
),

{% for scope, column in {'auditor': 'auditor_key', 'week': 'week_name'}.items() -%}
by_{{ scope }} as (
    select
        '{{ scope }}' as scope,
        {{ column }} as scope_value,
        queue_id,
        has_enforced,
        count(*) as n_audits,
        sum(n_errors) as n_errors
    from audits
    where {{ column }} is not null
    group by {{ column }}, queue_id, has_enforced
),

{% endfor -%}
both_scopes as (
    select * from by_auditor
    union all
    select * from by_week
),

expected as (
    select
        own.scope,
        own.scope_value,
        sum(own.n_audits) as n_audits,
        sum(own.n_errors) as n_errors,
        sum(
            own.n_audits * (kinds.n_errors - own.n_errors)
            -- Ten audits without an error more: a few others do not say much.
            / cast(kinds.n_audits - own.n_audits + 10 as double)
        ) as n_expected
    from both_scopes as own
    inner join kinds
        on own.queue_id = kinds.queue_id and own.has_enforced = kinds.has_enforced
    where kinds.n_audits > own.n_audits
    group by own.scope, own.scope_value
),

surprising as (
    select
        *,
        n_expected - n_errors
        + case when n_errors > 0 then n_errors * ln(n_errors / n_expected) else 0 end as surprise
    from expected
    where
        n_expected > 0
        and (
            n_errors <= n_expected / 5
            or (scope = 'auditor' and n_errors >= 3 * n_expected)
        )
)

select
    scope,
    scope_value,
    n_audits,
    n_errors,
    n_expected
from surprising
where surprise > 16
union all
-- With no error anywhere there are no others to compare with.
select
    'all audits' as scope,
    'all' as scope_value,
    count(*) as n_audits,
    sum(n_errors) as n_errors,
    null as n_expected
from audits
having count(*) >= 250 and sum(n_errors) = 0
