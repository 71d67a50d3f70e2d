with work_rows as (
    select * from {{ ref('int_reconciliation__work_rows') }}
),

ledger_rows as (
    select * from {{ ref('int_reconciliation__statements_rows') }}
)

select
    check_name,
    table_name,
    row_id,
    happened_on,
    reason_code,
    is_explained
from work_rows
union all
select
    check_name,
    table_name,
    row_id,
    happened_on,
    reason_code,
    is_explained
from ledger_rows
