{#- Decisions that another replaced within the same second: a slip of the hand, or a write in two steps. -#}
{% macro replaced_at_once(decisions) -%}
    select distinct replaced.decision_id
    from {{ decisions }} as replaced
    inner join {{ decisions }} as replacing
        on replaced.decision_id = replacing.supersedes_decision_id
    where
        replacing.supersedes_decision_id is not null
        and date_trunc('second', replacing.decided_at) = date_trunc('second', replaced.decided_at)
{%- endmacro %}

{#- When each decision was undone first, of those that were. -#}
{% macro first_reversals(decisions) -%}
    select
        supersedes_decision_id as decision_id,
        min(decided_at) as reversed_at
    from {{ decisions }}
    where exclusion_reason = 'reversal' and supersedes_decision_id is not null
    group by supersedes_decision_id
{%- endmacro %}
