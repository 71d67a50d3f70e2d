{#- Of each decision that another one replaces: when that was first, and when it was undone first. -#}
{% macro replacements(decisions) -%}
    select
        supersedes_decision_id as decision_id,
        min(decided_at) as replaced_at,
        min(case when exclusion_reason = 'reversal' then decided_at end) as reversed_at
    from {{ decisions }}
    where supersedes_decision_id is not null
    group by supersedes_decision_id
{%- endmacro %}

{#- Replaced within the same second: a slip of the hand, or a write in two steps. Nobody could appeal. -#}
{% macro is_replaced_at_once(decisions, replaced) -%}
    coalesce(
        date_trunc('second', {{ replaced }}.replaced_at)
        = date_trunc('second', {{ decisions }}.decided_at),
        false
    )
{%- endmacro %}

{#- Whose appeals, and which of their days puts them into a period: rates of one basis alone have the same
    denominators, and lists of suppressed groups name it. -#}
{% macro appeal_basis(appellant, anchor) -%}
    concat({{ appellant }}, ' by ', {{ anchor }})
{%- endmacro %}

{#- The days by which appeals are counted, {anchor: day}. -#}
{% macro appeal_anchors() -%}
    {{ return({'decided_at': 'decided_on', 'answered_at': 'answered_on', 'filed_at': 'filed_on'}) }}
{%- endmacro %}

{% macro appeal_dimensions() -%}
    {{ return({
        'overall': "'all'",
        'policy': "coalesce(policy_id, 'no_policy')",
        'policy_parent': "coalesce(parent_policy_id, policy_id, 'no_policy')",
        'action': 'action_code',
        'decided_by': 'decided_by_type',
        'language': "coalesce(language, 'unknown')",
        'channel': 'channel',
    }) }}
{%- endmacro %}
