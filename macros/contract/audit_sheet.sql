{#- Connector audit_sheet: one spreadsheet of audits, read as its mapping (a file) says.
    All cells are text. Words and names are compared without case and outer spaces. -#}

{% macro sheet_mapping() -%}
    {%- set mapping = default_mapping() -%}
    {%- do mapping.update(given_mapping() or {}) -%}
    {#- Where nothing is mapped, columns are named as here. -#}
    {%- if not mapping.columns -%}
        {%- for name in sheet_columns() -%}
            {%- do mapping.columns.update({name: name}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not mapping.volume_columns -%}
        {%- for name in volume_columns() -%}
            {%- do mapping.volume_columns.update({name: name}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(mapping) }}
{%- endmacro %}

{#- Every key that a mapping may have, and what holds where it has none. -#}
{% macro default_mapping() -%}
    {{ return({
        'sheet': 'audits.csv',
        'volumes': none,
        'timezone': 'UTC',
        'date_formats': ['%Y-%m-%d'],
        'time_formats': ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M'],
        'score_scale': none,
        'max_rejected_share': 0.05,
        'policy_separator': none,
        'blank': ['n/a', 'na', '-', '#n/a', 'null'],
        'yes': ['y', 'yes', 'true', '1'],
        'no': ['n', 'no', 'false', '0'],
        'names': {},
        'actions': {},
        'severities': {},
        'sampling_methods': {},
        'audit_statuses': {},
        'dispute_outcomes': {},
        'columns': {},
        'volume_columns': {},
    }) }}
{%- endmacro %}

{% macro given_mapping() -%}
    {#- Read from the file when it is needed: a variable that holds it would make dbt parse the whole
        project again after each change of a word. -#}
    {%- if not execute or not var('audit_sheet') -%}
        {{ return({}) }}
    {%- endif -%}
    {{ return(once_a_run('mapping of the sheet', mapping_of_file)) }}
{%- endmacro %}

{% macro mapping_of_file() -%}
    {%- set absent =
        'audit_sheet: the mapping ' ~ var('audit_sheet') ~ ' cannot be read. Is it there?' -%}
    {%- set text = try_or_compiler_error(absent, run_query, file_text(var('audit_sheet'))) -%}
    {#- Some versions of the engine find nothing and say nothing. -#}
    {%- if not text.rows -%}
        {{ exceptions.raise_compiler_error(absent) }}
    {%- endif -%}
    {{ return(fromyaml(text[0][0])) }}
{%- endmacro %}

{% macro sheet_columns() -%}
    {#- {column: must it be mapped}. -#}
    {{ return({
        'audit_id': true, 'audited_at': true, 'auditor_id': false, 'moderator_id': true,
        'queue_id': true, 'item_id': true, 'decided_at': true, 'decided_action_code': true,
        'decided_policy_id': false, 'truth_action_code': true, 'truth_policy_id': false,
        'severity': false, 'is_critical': false, 'is_technical_error': false, 'is_blind': false,
        'sampling_method': false, 'audit_status': false, 'score': false, 'is_disputed': false,
        'dispute_outcome': false,
    }) }}
{%- endmacro %}

{% macro volume_columns() -%}
    {{ return({
        'week_starts_on': true, 'queue_id': true, 'action_code': true, 'population_size': true,
        'planned_sample_size': false,
    }) }}
{%- endmacro %}

{% macro sheet_words() -%}
    {#- {key of the mapping: the columns whose words it maps}. -#}
    {{ return({
        'actions': ['decided_action_code', 'truth_action_code'],
        'severities': ['severity'],
        'audit_statuses': ['audit_status'],
        'dispute_outcomes': ['dispute_outcome'],
    }) }}
{%- endmacro %}

{% macro sheet_file(name) -%}
    {{ return(var('raw_path').rstrip('/') ~ '/' ~ (sheet_mapping()[name] or 'no_volumes.csv')) }}
{%- endmacro %}

{% macro sheet_text(name, columns='columns') -%}
    {#- The cell as text: NULL where it is blank, or a word for nothing, or has no column. -#}
    {%- set mapping = sheet_mapping() -%}
    {%- if name not in mapping[columns] -%}
        {{ return('cast(null as string)') }}
    {%- endif -%}
    {%- set cell = 'trim(' ~ adapter.quote(mapping[columns][name]) ~ ')' -%}
    {{ return('case when lower(' ~ cell ~ ') not in (' ~ text_list([''] + mapping.blank)
        ~ ') then ' ~ cell ~ ' end') }}
{%- endmacro %}

{% macro text_list(words) -%}
    {%- set literals = [] -%}
    {%- for word in words -%}
        {%- do literals.append("'" ~ escape_single_quotes(word | string | lower | trim) ~ "'") -%}
    {%- endfor -%}
    {{ return(literals | join(', ')) }}
{%- endmacro %}

{% macro sheet_name(text) -%}
    {#- One spelling of a person: the one of `names`, else without case. -#}
    {{ return(sheet_word('names', text)) }}
{%- endmacro %}

{% macro sheet_word(key, text) -%}
    {%- set words = sheet_mapping()[key] -%}
    {%- set plain = 'lower(' ~ text ~ ')' -%}
    {%- if key != 'names' -%}
        {%- set plain = 'replace(' ~ plain ~ ", ' ', '_')" -%}
    {%- endif -%}
    {%- set cases = [] -%}
    {%- for word, meaning in words.items() -%}
        {%- do cases.append('when ' ~ text_list([word]) ~ " then '"
            ~ escape_single_quotes(meaning | string) ~ "'") -%}
    {%- endfor -%}
    {{ return('case lower(' ~ text ~ ') ' ~ cases | join(' ') ~ ' else ' ~ plain ~ ' end'
        if cases else plain) }}
{%- endmacro %}

{% macro sheet_flag(text) -%}
    {%- set mapping = sheet_mapping() -%}
    {{ return('case when lower(' ~ text ~ ') in (' ~ text_list(mapping.yes) ~ ') then true when lower('
        ~ text ~ ') in (' ~ text_list(mapping.no) ~ ') then false end') }}
{%- endmacro %}

{% macro sheet_moment(text, is_end_of_day=false) -%}
    {#- UTC. A day alone is its beginning, or its last second. -#}
    {%- set mapping = sheet_mapping() -%}
    {%- set day = parsed_day_number(text) -%}
    {%- set of_day = 'coalesce(' ~ parsed_time(text, mapping.date_formats) ~ ', ' ~ day ~ ')' -%}
    {%- if is_end_of_day -%}
        {%- set of_day = add_seconds(of_day, '86399') -%}
    {%- endif -%}
    {{ return(utc_timestamp(
        'coalesce(' ~ parsed_time(text, mapping.time_formats) ~ ', ' ~ of_day ~ ')',
        mapping.timezone)) }}
{%- endmacro %}

{% macro sheet_count(text) -%}
    {#- A whole number, with or without separators of thousands; NULL where it is something else. -#}
    case
        when regexp_replace({{ text }}, '^([0-9]+|[0-9]{1,3}([., ][0-9]{3})+)$', '') = ''
            then cast(regexp_replace({{ text }}, '[., ]', '', 'g') as bigint)
    end
{%- endmacro %}

{#- What is wrong with the mapping or its files, a line each, before anything is built. -#}
{% macro sheet_problems() -%}
    {%- set given, problems = given_mapping(), [] -%}
    {%- if given is not mapping or not given -%}
        {{ return(['- audit_sheet: there is no mapping, or its file is no YAML of names and values. '
            ~ 'docs/audit_sheet.yml is one to copy.']) }}
    {%- endif -%}
    {%- set mapping, known = sheet_mapping(), default_mapping().keys() | list -%}
    {%- for name in given if name not in known -%}
        {%- set meant = nearest(name, known) -%}
        {%- do problems.append('- audit_sheet: there is no ' ~ name ~ (', but ' ~ meant if meant
            else '. There are ' ~ known | join(', ')) ~ '.') -%}
    {%- endfor -%}
    {%- do try_or_compiler_error(
        'The mapping says timezone "' ~ mapping.timezone ~ '", which the engine does not know. Name a '
        ~ 'zone of the IANA database, such as Europe/Dublin.',
        run_query, 'select ' ~ utc_timestamp("timestamp '2026-03-02 09:00:00'", mapping.timezone)) -%}
    {%- if mapping.score_scale not in (none, 'percent', 'share') -%}
        {%- do problems.append('- audit_sheet: score_scale is ' ~ mapping.score_scale
            ~ ', but is percent (100 is all), share (1 is all), or left out.') -%}
    {%- endif -%}
    {%- set files = {'sheet': 'columns', 'volumes': 'volume_columns'} -%}
    {%- for file, columns in files.items() if mapping[file] -%}
        {%- do problems.extend(sheet_file_problems(file, columns, mapping)) -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro sheet_file_problems(file, columns, mapping) -%}
    {%- set problems, path = [], sheet_file(file) -%}
    {%- set wanted = sheet_columns() if columns == 'columns' else volume_columns() -%}
    {%- set relation = numbered_rows(path) -%}
    {%- set present = try_or_compiler_error(
        path ~ ' cannot be read: is it there, a CSV file with a header, in UTF-8? Nothing was built. '
        ~ 'What the engine says of it is in the log of dbt.',
        relation_columns, relation) -%}
    {%- for name, is_required in wanted.items() -%}
        {%- if name not in mapping[columns] and is_required -%}
            {%- do problems.append('- audit_sheet: ' ~ columns ~ ' does not map ' ~ name
                ~ '. The file has ' ~ present | reject('equalto', 'row_no') | join(', ') ~ '.') -%}
        {%- elif name in mapping[columns] and mapping[columns][name] | lower not in present -%}
            {%- do problems.append('- audit_sheet: ' ~ path ~ ' has no column "'
                ~ mapping[columns][name] ~ '" (' ~ columns ~ '.' ~ name ~ '). It has '
                ~ present | reject('equalto', 'row_no') | join(', ') ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in mapping[columns] if name not in wanted -%}
        {%- do problems.append('- audit_sheet: ' ~ columns ~ ' maps ' ~ name ~ ', which is none of '
            ~ wanted | join(', ') ~ '.') -%}
    {%- endfor -%}
    {%- if problems -%}
        {{ return(problems) }}
    {%- endif -%}
    {%- set words = sheet_words() if file == 'sheet' else {'actions': ['action_code']} -%}
    {%- for key, names in words.items() -%}
        {%- for name in names if name in mapping[columns] -%}
            {%- do problems.extend(unknown_words(relation, key, name, columns)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if file == 'volumes' -%}
        {%- set size = sheet_text('population_size', columns) -%}
        {%- set week = sheet_text('week_starts_on', columns) -%}
        {%- set bad = run_query(
            'select row_no, ' ~ size ~ ', ' ~ week ~ ' from ' ~ relation ~ ' where ('
            ~ sheet_count(size) ~ ') is null or ' ~ sheet_moment(week) ~ ' is null order by 1 limit 3') -%}
        {%- for row in bad -%}
            {%- do problems.append('- ' ~ path ~ ', row ' ~ row[0] ~ ': "' ~ row[1] ~ '" decisions in '
                ~ 'the week of "' ~ row[2] ~ '": a whole number and a day in date_formats ('
                ~ mapping.date_formats | join(', ') ~ ') are wanted.') -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro unknown_words(relation, key, name, columns) -%}
    {%- set lists = {
        'severities': ['none', 'low', 'medium', 'high', 'severe'],
        'audit_statuses': ['draft', 'final', 'withdrawn'],
        'dispute_outcomes': ['pending', 'upheld', 'overturned', 'withdrawn'],
    } -%}
    {%- if key == 'actions' -%}
        {%- set known = seed_keys('action_codes') -%}
    {%- else -%}
        {%- set known = lists[key] -%}
    {%- endif -%}
    {%- set text = sheet_text(name, columns) -%}
    {%- set found = run_query(
        'select word, count(*) from (select ' ~ text ~ ' as word from ' ~ relation ~ ') as cells '
        ~ 'where word is not null and ' ~ sheet_word(key, 'word') ~ ' not in (' ~ text_list(known)
        ~ ') group by word order by 2 desc, 1 limit 5') -%}
    {%- set words = [] -%}
    {%- for row in found -%}
        {%- do words.append('"' ~ row[0] ~ '" (' ~ row[1] ~ (' row)' if row[1] == 1 else ' rows)')) -%}
    {%- endfor -%}
    {{ return(['- audit_sheet: ' ~ key ~ ' does not say what is meant by ' ~ words | join(', ') ~ ' in '
        ~ columns ~ '.' ~ name ~ '. Map it to one of ' ~ known | join(', ') ~ '.'] if words else []) }}
{%- endmacro %}
