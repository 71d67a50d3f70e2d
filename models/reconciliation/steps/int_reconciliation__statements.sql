-- Restrictions beside the statements of the public ledger, by the day of the decision.

with statements as (
    select * from {{ ref('stg_statements_of_reasons') }}
),

decisions as (
    select * from {{ ref('fct_decisions') }}
),

differing as (
    select * from {{ ref('int_reconciliation__statements_rows') }}
),

restricted as (
    select
        decided_on as happened_on,
        count(*) as n_left
    from decisions
    where action_group = 'enforced' and exists (select 1 from statements)
    group by decided_on
),

stated as (
    select
        coalesce(decisions.decided_on, {{ reporting_date('statements.submitted_at') }})
            as happened_on,
        count(*) as n_right
    from statements
    left join decisions on statements.decision_id = decisions.decision_id
    group by coalesce(decisions.decided_on, {{ reporting_date('statements.submitted_at') }})
),

by_reason as (
    select
        happened_on,
        reason_code,
        n_left_more,
        is_explained,
        count(*) as n_rows
    from differing
    group by happened_on, reason_code, n_left_more, is_explained
),

named as (
    select
        happened_on,
        sum(case when is_explained then n_left_more * n_rows else 0 end) as n_explained,
        max(case when not is_explained and n_left_more <> 0 then reason_code end) as wrong,
        max(case when is_explained and n_left_more <> 0 then reason_code end) as in_order
    from by_reason
    group by happened_on
)

select
    'decisions_to_statements' as check_name,
    coalesce(restricted.happened_on, stated.happened_on) as happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    cast(coalesce(restricted.n_left, 0) as double) as left_value,
    cast(coalesce(stated.n_right, 0) as double) as right_value,
    cast(coalesce(named.n_explained, 0) as double) as explained_difference,
    coalesce(named.wrong, named.in_order, 'unexplained') as reason_code
from restricted
full outer join stated on restricted.happened_on = stated.happened_on
left join named on coalesce(restricted.happened_on, stated.happened_on) = named.happened_on
union all
-- Counts by name: those of the rows that the other side has not add up to the difference.
select
    'decisions_to_statements' as check_name,
    happened_on,
    case when n_left_more = 0 then 'said_otherwise' else 'reason' end as dimension_name,
    reason_code as dimension_value,
    cast(case when n_left_more >= 0 then n_rows else 0 end as double) as left_value,
    cast(case when n_left_more < 0 then n_rows else 0 end as double) as right_value,
    cast(
        case
            when not is_explained then 0
            when n_left_more < 0 then -n_rows
            else n_rows
        end as double
    ) as explained_difference,
    reason_code
from by_reason
