{% macro shown(column) -%}
    {{ pseudonym('cast(' ~ column ~ ' as string)') if column in [
        'person_id', 'moderator_id', 'auditor_id', 'rater_id'
    ] else column }}
{%- endmacro %}

{% macro pseudonym(person_id) -%}
    left({{ sha256(session_secret('pseudonym_key') ~ " || ':' || " ~ person_id) }}, 16)
{%- endmacro %}
