{% macro pseudonym(person_id) -%}
    {#- A keyed hash in place of a person's id: the same person always has the same pseudonym, and
        without the key nobody can try ids to find it. 16 hexadecimal digits: for a million people
        the chance that any two share one is below 1 in 30 million. Null stays null. -#}
    left({{ sha256(session_secret('pseudonym_key') ~ " || ':' || " ~ person_id) }}, 16)
{%- endmacro %}
