{% macro audit_measures() -%}
    {#- What is counted of audits, as expressions over fct_audits. Technical errors are the
        tooling's, so what asks how people and policies decide leaves them out. -#}
    {%- set judged = "error_class <> 'technical'" -%}
    {%- set measures = {'n_audits': 'n_audits'} -%}
    {%- for count in error_counts() -%}
        {%- do measures.update({count: count}) -%}
    {%- endfor -%}
    {%- do measures.update({
        'n_enforced': one_where(judged ~ ' and has_enforced'),
        'n_violating': one_where(judged ~ ' and is_violating'),
        'n_not_violating': one_where(judged ~ ' and not is_violating'),
        'n_wrong_policy_same_parent': one_where("selection_distance = 'same_parent'"),
        'n_wrong_policy_other_parent': one_where("selection_distance = 'other_parent'"),
        'n_too_strict': one_where("selection_strictness = 'too_strict'"),
        'n_too_lenient': one_where("selection_strictness = 'too_lenient'"),
        'n_technical_known': one_where('is_technical_error is not null'),
        'n_critical': 'n_critical',
        'n_criticality_known': one_where('n_critical is not null'),
        'n_severity_known': one_where('severity_points_lost is not null'),
        'severity_points_kept': 'severity_points_at_stake - severity_points_lost',
        'severity_points_at_stake': 'severity_points_at_stake',
        'n_views_known': one_where('views_at_decision is not null'),
        'views': 'views_at_decision',
        'false_positive_views': 'n_false_positive * views_at_decision',
        'false_negative_views': 'n_false_negative * views_at_decision',
    }) -%}
    {{ return(measures) }}
{%- endmacro %}

{% macro one_where(condition) -%}
    case when {{ condition }} then 1 else 0 end
{%- endmacro %}

{#- Of measures that are more than 0 or 1 an audit, the squares that a variance needs. -#}
{% macro audit_measure_squares() -%}
    {%- set measures = audit_measures() -%}
    {%- set squares = {} -%}
    {%- for name in ['severity_points_kept', 'severity_points_at_stake', 'views',
            'false_positive_views', 'false_negative_views'] -%}
        {%- set wide = 'cast(' ~ measures[name] ~ ' as decimal(18, 0))' -%}
        {%- do squares.update({name ~ '_squared': wide ~ ' * ' ~ wide}) -%}
    {%- endfor -%}
    {{ return(squares) }}
{%- endmacro %}

{% macro registered_measure(term, relation) -%}
    case {{ term }}
        {% for measure in audit_measures() -%}
        when '{{ measure }}' then {{ relation }}.{{ measure }}
        {% endfor -%}
    end
{%- endmacro %}

{#- An audit keeps all that it has at stake or nothing, but in severity_weighted_accuracy, where all
    have the same at stake and keep some of it. -#}
{% macro metric_moments(metrics, cells) -%}
    {%- set kept = registered_measure(metrics ~ '.numerator', cells) -%}
    {%- set at_stake = registered_measure(metrics ~ '.denominator', cells) -%}
    {%- set kept_squared -%}
        case {{ metrics }}.numerator
            when 'severity_points_kept' then {{ cells }}.severity_points_kept_squared
            when 'false_positive_views' then {{ cells }}.false_positive_views_squared
            when 'false_negative_views' then {{ cells }}.false_negative_views_squared
            else {{ kept }}
        end
    {%- endset -%}
    {%- set at_stake_squared -%}
        case {{ metrics }}.denominator
            when 'severity_points_at_stake' then {{ cells }}.severity_points_at_stake_squared
            when 'views' then {{ cells }}.views_squared
            else {{ at_stake }}
        end
    {%- endset -%}
    {%- set product -%}
        case {{ metrics }}.denominator
            when 'severity_points_at_stake' then
                {{ kept }} * {{ cells }}.severity_points_at_stake
                    / nullif({{ cells }}.n_severity_known, 0)
            else {{ kept_squared }}
        end
    {%- endset -%}
    {{ metric_n(metrics, cells) }} as n,
    {{ kept }} as kept,
    {{ at_stake }} - {{ kept }} as lost,
    {{ kept_squared }} as kept_kept,
    {{ product }} - {{ kept_squared }} as kept_lost,
    {{ at_stake_squared }} - 2 * {{ product }} + {{ kept_squared }} as lost_lost,
    case
        when {{ is_of_the_truth(metrics) }} then {{ cells }}.n_audits
        else {{ metric_n(metrics, cells) }}
    end as n_base,
    -- A violation can be missed only where nothing was enforced, and the other way round.
    case {{ metrics }}.denominator
        when 'n_violating' then {{ cells }}.n_enforced
        when 'n_not_violating' then {{ cells }}.n_audits - {{ cells }}.n_enforced
        else 0
    end as n_cannot_err,
    case
        when {{ is_of_the_truth(metrics) }} then 'truth'
        when {{ metrics }}.unit = 'share' then 'share'
        else 'amount'
    end as interval_kind
{%- endmacro %}

{#- A ratio whose denominator only the truth tells: no plan says how many audits fall into it. -#}
{% macro is_of_the_truth(metrics) -%}
    {{ metrics }}.denominator in ('n_violating', 'n_not_violating')
{%- endmacro %}

{% macro metric_n(metrics, cells) -%}
    case {{ metrics }}.denominator
        when 'severity_points_at_stake' then {{ cells }}.n_severity_known
        when 'views' then {{ cells }}.n_views_known
        else {{ registered_measure(metrics ~ '.denominator', cells) }}
    end
{%- endmacro %}

{#- Of what a metric asks about each audit that it counts (every audit, or every one with an error): how
    many it asks, and of how many nobody said. What is not said drops out, and only errors do. -#}
{% macro n_flags_asked(metrics, population) -%}
    case
        when {{ metrics }}.denominator in ('n_criticality_known', 'severity_points_at_stake')
            then {{ population }}.n_audits - {{ population }}.n_correct
        when {{ metrics }}.numerator = 'n_technical' then {{ population }}.n_audits
        else 0
    end
{%- endmacro %}

{% macro n_flags_unknown(metrics, population) -%}
    case
        when {{ metrics }}.denominator = 'n_criticality_known'
            then {{ population }}.n_audits - {{ population }}.n_criticality_known
        when {{ metrics }}.denominator = 'severity_points_at_stake'
            then {{ population }}.n_audits - {{ population }}.n_severity_known
        when {{ metrics }}.numerator = 'n_technical'
            then {{ population }}.n_audits - {{ population }}.n_technical_known
        else 0
    end
{%- endmacro %}
