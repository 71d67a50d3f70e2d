{% macro explain_failures(results) -%}
    {#- After a run, prints for every failed data test what it means, what to do, and the first
        rows that failed, so that nobody has to open compiled SQL to learn which rows are bad. -#}
    {%- if execute -%}
        {%- for result in results
                if result.node.resource_type == 'test' and result.status in ('fail', 'warn') -%}
            {%- set node = result.node -%}
            {%- set what_to_do = node.config.meta.get('what_to_do', node.description) -%}
            {%- do log('', info=True) -%}
            {%- do log((result.status | upper) ~ ' ' ~ node.name ~ ': ' ~ result.failures
                ~ ' rows. ' ~ node.description | trim, info=True) -%}
            {%- do log('  What to do: ' ~ what_to_do | trim, info=True) -%}
            {%- set rows = run_query('select * from (' ~ node.compiled_code ~ ') as failed limit 5') -%}
            {%- for row in rows -%}
                {%- set parts = [] -%}
                {%- for name in rows.column_names -%}
                    {%- do parts.append(name ~ '=' ~ row[name]) -%}
                {%- endfor -%}
                {%- do log('  ' ~ parts | join(', '), info=True) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
