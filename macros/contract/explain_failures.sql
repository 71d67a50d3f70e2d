{% macro explain_failures(results) -%}
    {%- if execute -%}
        {%- for result in results
                if result.node.resource_type == 'test' and result.status in ('fail', 'warn') -%}
            {%- do explain_failure(result.node, result.status | upper, result.failures) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro explain_failure(node, status, n_failures) -%}
    {%- set n_rows = n_failures ~ (' row' if n_failures == 1 else ' rows') -%}
    {%- do log('', info=True) -%}
    {%- do log(status ~ ' ' ~ node.name ~ ': ' ~ n_rows ~ '. ' ~ node.description | trim, info=True)
    -%}
    {%- set found = run_query('select * from (' ~ node.compiled_code ~ ') as failed limit 5') -%}
    {%- for row in found -%}
        {%- set parts = [] -%}
        {%- for name in found.column_names -%}
            {%- do parts.append(name ~ '=' ~ ('null' if row[name] is none else row[name])) -%}
        {%- endfor -%}
        {%- do log('  - ' ~ parts | join(', '), info=True) -%}
    {%- endfor -%}
    {%- if n_failures > found | length -%}
        {%- do log('  - and ' ~ (n_failures - found | length) ~ ' more', info=True) -%}
    {%- endif -%}
    {%- set what_to_do = node.config.meta.get('what_to_do') -%}
    {%- if what_to_do -%}
        {%- do log('  What to do: ' ~ what_to_do | trim, info=True) -%}
    {%- endif -%}
{%- endmacro %}
