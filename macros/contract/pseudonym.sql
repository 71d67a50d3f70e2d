{% macro pseudonym(person_id) -%}
    left({{ hmac_sha256('pseudonym_key', person_id) }}, 16)
{%- endmacro %}

{#- Columns get swapped, so a text that is anybody's id in any raw table is shown as a pseudonym. -#}
{% macro shown(column) -%}
    {%- set text = 'cast(' ~ column ~ ' as string)' -%}
    {%- if column in columns_of_people() -%}
    {{ pseudonym(text) }}
    {%- else -%}
    case
        when {{ text }} in ({{ ids_of_people() }})
            then {{ pseudonym(text) }}
        else {{ text }}
    end
    {%- endif -%}
{%- endmacro %}

{% macro columns_of_people() -%}
    {{ return(['person_id', 'moderator_id', 'auditor_id', 'rater_id']) }}
{%- endmacro %}

{% macro ids_of_people() -%}
    {{ return(once_a_run('ids of people', select_ids_of_people)) }}
{%- endmacro %}

{% macro select_ids_of_people() -%}
    {%- set selects = [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'raw' -%}
        {%- set relation = raw_relation(node.name, connected_relation(node.name)) -%}
        {%- set present = raw_columns(node.name, relation) if relation else {} -%}
        {%- for column in columns_of_people() if column in present and column in node.columns -%}
            {%- do selects.append('select cast(' ~ column ~ ' as string) from ' ~ relation) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(selects | join(' union ') or 'select cast(null as string)') }}
{%- endmacro %}

{#- Without a roster nothing tells a person's id that is in the place of another, but for their
    numbers: nobody has more people than things that they judged. -#}
{% macro swapped_people_problems() -%}
    {%- set problems = [] -%}
    {%- for table, person_id, things in [
        ('decisions', 'moderator_id', ['decision_id', 'job_id']),
        ('audits', 'auditor_id', ['audit_id', 'decision_id']),
    ] -%}
        {%- set relation = raw_relation(table) -%}
        {%- if relation and person_id in raw_columns(table, relation) -%}
            {%- set counts = [] -%}
            {%- for column in [person_id] + things -%}
                {%- do counts.append('approx_count_distinct(' ~ column ~ ') as n_' ~ column) -%}
            {%- endfor -%}
            {#- Some rows show it as well as all. -#}
            {%- set found = run_query('select ' ~ counts | join(', ') ~ ' from (select * from '
                ~ relation ~ ' limit 100000) as some_rows')[0] -%}
            {%- for column in things if found['n_' ~ person_id] > 2 * found['n_' ~ column] -%}
                {%- do problems.append('- ' ~ table ~ '.' ~ person_id ~ ' has about '
                    ~ found['n_' ~ person_id] ~ ' different values, and ' ~ column ~ ' only about '
                    ~ found['n_' ~ column]
                    ~ ': the two columns seem to be swapped. Correct the mapping.') -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro connected_relation(table) -%}
    {#- What a connector made of a raw table; by name, for where nothing can be referred to. -#}
    {%- for node in graph.nodes.values() if node.name == var('raw_connector') ~ '__' ~ table -%}
        {{ return(adapter.get_relation(node.database, node.schema, node.alias)) }}
    {%- endfor -%}
{%- endmacro %}

{% macro key_problems() -%}
    {%- set name = 'DBT_ENV_SECRET_PSEUDONYM_KEY' -%}
    {%- set problems = [] -%}
    {%- if not is_true_in_session(is_secret_known('pseudonym_key')) -%}
        {%- do problems.append('- ' ~ name ~ ' is empty, or does not reach the session: without a '
            ~ 'key, pseudonyms can be undone by trying ids. Set it (openssl rand -hex 32 makes one), '
            ~ 'or unset it for sample data.') -%}
    {%- elif not is_sample_key() and is_true_in_session(
            'length(' ~ session_secret('pseudonym_key') ~ ') < 32') -%}
        {%- do problems.append('- ' ~ name ~ ' is shorter than 32 characters: so short a key may be '
            ~ 'found by trying. Make one with: openssl rand -hex 32. Every pseudonym changes with '
            ~ 'it.') -%}
    {%- endif -%}
    {%- if is_true_in_session(may_log_secrets()) -%}
        {%- do problems.append('- Spark would write the pseudonym key into its log. Start it with '
            ~ '--conf spark.scheduler.listenerbus.logSlowEvent=false.') -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro is_sample_key() -%}
    {{ return(is_true_in_session(session_secret('pseudonym_key') ~ " = 'sample-data-only'")) }}
{%- endmacro %}

{% macro is_true_in_session(condition) -%}
    {#- With a name, or Spark's server names the column in its log by what it is made of. -#}
    {{ return(run_query('select ' ~ condition ~ ' as is_true')[0][0]) }}
{%- endmacro %}

{% macro warn_of_the_sample_key() -%}
    {%- if is_sample_key() and are_people_real() -%}
        {%- do exceptions.warn('Pseudonyms are made with the public sample key, with which '
            ~ 'anybody can undo them, and the data are not the simulator\'s. For real people set '
            ~ 'DBT_ENV_SECRET_PSEUDONYM_KEY; openssl rand -hex 32 makes one.') -%}
    {%- endif -%}
{%- endmacro %}

{% macro are_people_real() -%}
    {#- Published labels have published ids. -#}
    {%- if var('raw_connector') -%}
        {{ return(var('raw_connector') not in ['hatecheck', 'convabuse']) }}
    {%- endif -%}
    {#- As the simulator names the systems that its tables with people, and their policies, are of. -#}
    {%- set simulated = {
        'policies': 'policy_hub', 'roster': 'workforce', 'decisions': 'moderation_platform',
        'audits': 'audit_tool', 'golden_results': 'audit_tool',
        'calibration_ratings': 'audit_tool',
    } -%}
    {%- for table, system in simulated.items() -%}
        {%- set relation = raw_relation(table) -%}
        {%- if relation and 'source_system' in raw_columns(table, relation) -%}
            {%- set found = run_query('select 1 as found from ' ~ relation
                ~ " where coalesce(cast(source_system as string), '') <> '" ~ system
                ~ "' limit 1") -%}
            {%- if found | length -%}
                {{ return(true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
