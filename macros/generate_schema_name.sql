{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- A schema is named for its layer, on every target: what an analyst reads is never
        prefixed with a developer's name. Developers are kept apart by their database. -#}
    {{- (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}
