{% macro pseudonym(person_id) -%}
    left({{ sha256(session_secret('pseudonym_key') ~ " || ':' || " ~ person_id) }}, 16)
{%- endmacro %}
