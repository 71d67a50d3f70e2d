{% macro known_variables() -%}
    {#- dbt takes any name, and a misspelt one changes nothing. A test holds this to dbt_project.yml. -#}
    {{ return([
        'accuracy_maturity_days', 'alert_z', 'as_of', 'audit_sheet', 'audits_due_days', 'backlog_grace_hours',
        'confidence_level',
        'connectors', 'convabuse_file', 'daily_dimensions', 'derive_sampling_frame', 'dsa_ground',
        'ewma_weight', 'exposure_limit_seconds', 'feed_baseline_weeks', 'feed_min_spread', 'feed_min_weeks',
        'feed_spread_days', 'full_time_hours', 'handling_cap_seconds',
        'hatecheck_audits', 'hatecheck_file', 'hatecheck_seed', 'in_house_vendors',
        'ledger_exempt_actions',
        'ledger_late_hours', 'ledger_regions', 'max_clock_skew_minutes',
        'max_interval_width', 'max_unknown_flags', 'min_agreement_items', 'min_appeals', 'min_audits',
        'min_comparable_share', 'min_coverage_rate', 'min_effective_n', 'min_effective_n_to_rank',
        'min_ended_jobs', 'min_jobs', 'min_peers', 'min_people',
        'min_repeats', 'min_share_in_sight', 'not_read', 'overturn_maturity_days',
        'people_window_days', 'plan_budget', 'plan_history_periods', 'plan_min_per_stratum',
        'plan_more_audits', 'plan_target_half_width', 'raw_connector', 'raw_path', 'raw_schema',
        'reinstatement_days', 'reporting_timezone', 'scan_baseline_days',
        'scan_learning_days', 'scan_natural_variation', 'scan_windows', 'strong_z', 'week_starts_on',
    ]) }}
{%- endmacro %}

{% macro variable_problems() -%}
    {%- set problems = [] -%}
    {%- for name in invocation_args_dict.vars or {} if name not in known_variables() -%}
        {%- set meant = nearest(name, known_variables()) -%}
        {%- do problems.append('- --vars: there is no variable ' ~ name
            ~ (', but ' ~ meant ~ '.' if meant else '. They are in dbt_project.yml.')) -%}
    {%- endfor -%}
    {#- Both would be an error of the engine's, in some model. -#}
    {%- if var('as_of') -%}
        {%- set is_time = modules.re.match(text_form('timestamp'), var('as_of') | string)
            and run_query('select ' ~ text_timestamp("'" ~ var('as_of') ~ "'", 'try_cast'))[0][0] -%}
        {%- if not is_time -%}
            {%- do problems.append('- as_of: "' ~ var('as_of') ~ '" cannot be read as timestamp.'
                ~ wanted_form('timestamp')) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do try_or_compiler_error(
        'The variable reporting_timezone is "' ~ var('reporting_timezone') ~ '", which the engine does '
        ~ 'not know. Name a zone of the IANA database, such as Europe/Dublin.',
        run_query, 'select ' ~ reporting_date("timestamp '2026-03-02 09:00:00'")) -%}
    {%- for name in ['confidence_level', 'min_coverage_rate', 'min_share_in_sight', 'max_unknown_flags',
            'max_interval_width', 'min_comparable_share', 'plan_target_half_width'] -%}
        {%- set value = var(name) -%}
        {%- if value is not number or value < 0 or value > 1
                or (name == 'confidence_level' and value in (0, 1)) -%}
            {%- do problems.append('- ' ~ name ~ ': is ' ~ value ~ ', but is a share, such as 0.95.')
            -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if var('raw_connector') == 'audit_sheet' -%}
        {%- do problems.extend(sheet_problems()) -%}
    {%- endif -%}
    {%- if var('derive_sampling_frame') is not boolean -%}
        {%- do problems.append('- derive_sampling_frame: is ' ~ var('derive_sampling_frame')
            ~ ', but is true or false.') -%}
    {%- elif var('derive_sampling_frame') and var('raw_connector') == 'audit_sheet' -%}
        {%- do problems.append('- derive_sampling_frame: a sheet of audits lists the audited decisions '
            ~ 'alone, so a frame counted from them would be of the sample. Hand in the volumes '
            ~ '(volumes in the mapping), which are the frame.') -%}
    {%- endif -%}
    {%- set daily = var('daily_dimensions') -%}
    {%- if daily is not none and (daily is string or daily is not iterable) -%}
        {%- do problems.append('- daily_dimensions: is ' ~ daily ~ ', but is a list, such as [overall, queue].')
        -%}
    {%- endif -%}
    {%- for name in daily or [] if daily is not string -%}
        {%- if name in roster_dimensions() -%}
            {%- do problems.append('- daily_dimensions: there are no rates by day of a ' ~ name
                ~ ', as a day of it is easily the work of one person. Read its weeks.') -%}
        {%- elif name not in reporting_dimensions() -%}
            {%- do problems.append('- daily_dimensions: there is no dimension ' ~ name ~ '. There are '
                ~ (reporting_dimensions().keys() | reject('in', roster_dimensions()) | join(', ')) ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}
