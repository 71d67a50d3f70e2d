{#- An act restricts by its own action and by those of decision_actions, each once (act_code). -#}
{% macro restrictions_of_acts() -%}
    select
        decisions.*,
        decisions.action_code as act_code
    from {{ ref('fct_decisions') }} as decisions
    where decisions.action_group = 'enforced'
    union all
    select
        decisions.*,
        further.action_code as act_code
    from {{ ref('stg_decision_actions') }} as further
    inner join {{ ref('action_codes') }} as actions on further.action_code = actions.action_code
    inner join {{ ref('fct_decisions') }} as decisions
        on further.decision_id = decisions.decision_id
    where
        actions.is_enforcing
        and decisions.action_group = 'enforced'
        and further.action_code <> decisions.action_code
{%- endmacro %}

{#- Reversed, or replaced by a decision to leave the item up. -#}
{% macro undone_decisions() -%}
    select
        supersedes_decision_id as decision_id,
        min(decided_at) as undone_at
    from {{ ref('fct_decisions') }}
    where
        supersedes_decision_id is not null
        and (exclusion_reason = 'reversal' or action_group = 'not_enforced')
    group by supersedes_decision_id
{%- endmacro %}

{% macro is_solely_automated(decisions) -%}
    case
        when {{ decisions }}.automation_level is not null
            then {{ decisions }}.automation_level = 'full'
        when {{ decisions }}.decided_by_type is not null
            then {{ decisions }}.decided_by_type <> 'human'
    end
{%- endmacro %}
