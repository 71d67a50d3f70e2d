{#- Whether history is built anew. dbt asks should_full_refresh() of every incremental model; here it
    also says yes by itself where adding to what is there would mix two definitions. -#}
{% macro should_full_refresh() -%}
    {%- if model.config.materialized == 'incremental' -%}
        {{ return(is_full_build()) }}
    {%- elif model.resource_type == 'seed' -%}
        {#- Loaded into the table of an earlier version, a new column would be an error. -#}
        {{ return(true) }}
    {%- endif -%}
    {{ return(flags.FULL_REFRESH) }}
{%- endmacro %}

{% macro is_full_build() -%}
    {#- dbt's graph is empty in unit tests, which test the whole. -#}
    {%- if not execute or flags.FULL_REFRESH or not graph.nodes -%}
        {{ return(true) }}
    {%- endif -%}
    {#- A frame that is counted from the decisions changes with each of them. -#}
    {%- if var('derive_sampling_frame') -%}
        {{ return(true) }}
    {%- endif -%}
    {{ return(once_a_run('is full build', is_history_to_be_built)) }}
{%- endmacro %}

{% macro is_history_to_be_built() -%}
    {%- for node in graph.nodes.values() if node.config.materialized == 'incremental' -%}
        {%- set found = load_relation(api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias)) -%}
        {%- if not found or not found.is_table -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(not is_built_by_these_definitions()) }}
{%- endmacro %}

{% macro is_built_by_these_definitions() -%}
    {#- None where no build has ended yet. -#}
    {%- set ledger = relation_named('deliveries') -%}
    {%- if load_relation(ledger) -%}
        {{ return(run_query(
            'select definitions = ' ~ signed_definitions() ~ ' as is_same '
            ~ 'from (select max(definitions) as definitions from ' ~ ledger ~ ') as ledger')[0][0]) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- A run of some models, or one that fails, leaves rows by its definitions among those of the ledger.
    The ledger says so before the first of them is built, and the next run builds all anew. -#}
{% macro own_up_to_other_definitions() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set selected = [] -%}
        {%- for id in selected_resources if id in graph.nodes -%}
            {%- if graph.nodes[id].config.materialized == 'incremental' -%}
                {%- do selected.append(id) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if selected and is_built_by_these_definitions() is false -%}
            {{ mark_ledger(relation_named('deliveries')) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro mark_ledger(ledger) -%}
    {{ return(adapter.dispatch('mark_ledger')(ledger)) }}
{%- endmacro %}

{% macro default__mark_ledger(ledger) -%}
    update {{ ledger }} set definitions = 'of several'
{%- endmacro %}

{% macro spark__mark_ledger(ledger) -%}
    {#- Where tables know no update, what is not there says nothing. -#}
    drop table {{ ledger }}
{%- endmacro %}

{% macro relation_named(name) -%}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type == 'model' -%}
        {{ return(api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endfor -%}
{%- endmacro %}

{% macro definitions() -%}
    {%- if not execute or not graph.nodes -%}
        {{ return("") }}
    {%- endif -%}
    {{ return(once_a_run('definitions', fingerprint)) }}
{%- endmacro %}

{% macro fingerprint() -%}
    {%- set texts = {} -%}
    {%- for id, node in graph.nodes.items() if node.config.materialized == 'incremental' -%}
        {%- do add_definitions(id, texts) -%}
    {%- endfor -%}
    {#- The variables that models built by days read; a test says that they are all. -#}
    {%- for name in ['raw_schema', 'raw_connector', 'connectors', 'audit_sheet', 'hatecheck_file',
            'hatecheck_audits', 'hatecheck_seed', 'convabuse_file', 'as_of', 'reporting_timezone',
            'week_starts_on', 'derive_sampling_frame'] -%}
        {%- do texts.update({'var ' ~ name: var(name, none) | string}) -%}
    {%- endfor -%}
    {%- if var('raw_connector') == 'audit_sheet' -%}
        {%- do texts.update({'mapping': sheet_mapping() | string}) -%}
    {%- endif -%}
    {{ return(local_md5(tojson(texts, sort_keys=true))) }}
{%- endmacro %}

{% macro signed_definitions() -%}
    {#- The key makes history too. Only the engine puts it in: what is written to files of a run, or is
        open to all, must not let anybody try keys. -#}
    {{ hmac_sha256('pseudonym_key', "'" ~ definitions() ~ "'") }}
{%- endmacro %}

{% macro add_definitions(id, texts) -%}
    {%- set node = graph.nodes.get(id) -%}
    {%- if node and id not in texts -%}
        {%- do texts.update({id: node.checksum.checksum}) -%}
        {%- do add_macros(node.depends_on.macros, texts) -%}
        {%- for parent in node.depends_on.nodes -%}
            {%- do add_definitions(parent, texts) -%}
        {%- endfor -%}
    {%- elif id in graph.sources and id not in texts -%}
        {%- do texts.update({id: tojson(graph.sources[id].config.meta, sort_keys=true)}) -%}
    {%- endif -%}
{%- endmacro %}

{% macro add_macros(ids, texts) -%}
    {%- for id in ids if id not in texts and id.startswith('macro.' ~ project_name ~ '.') -%}
        {%- set named = context.get(id.split('.')[2]) -%}
        {%- if named -%}
            {%- do texts.update({id: local_md5(named.macro.macro_sql)}) -%}
            {%- do add_macros(named.macro.depends_on.macros, texts) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro is_whole_build() -%}
    {#- False where only some models were asked for: what they did not build is still to be built. -#}
    {%- if not execute or not graph.nodes -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set before = {} -%}
    {%- do add_definitions(model.unique_id, before) -%}
    {%- for id in before if id.startswith('model.') and id not in selected_resources -%}
        {%- if graph.nodes[id].config.materialized != 'view' -%}
            {{ return(false) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}
