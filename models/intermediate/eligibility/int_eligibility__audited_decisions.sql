{% set decisions_of_days -%}
    select decision_id
    from {{ ref('fct_decisions') }}
    where {{ in_days_to_build('judged', 'decided_on') }}
{%- endset %}

select *
from {{ ref('fct_decisions') }}
where
    {{ in_days_to_build('judged', 'decided_on') }}
    and decision_id in (
        select decision_id
        from {{ ref('stg_audits') }}
        where {{ in_range_of('decision_id', decisions_of_days) }}
    )
