{% macro audit_measures() -%}
    {#- What is counted of audits, as expressions over fct_audits. Technical errors are the
        tooling's, so what asks how people and policies decide leaves them out. -#}
    {%- set judged = "error_class <> 'technical'" -%}
    {%- set measures = {'n_audits': 'n_audits'} -%}
    {%- for count in error_counts() -%}
        {%- do measures.update({count: count}) -%}
    {%- endfor -%}
    {%- do measures.update({
        'n_not_technical': one_where(judged),
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

{#- What follows for a metric from the measures it is made of, so that a new row of the seed metrics has
    every guard. As a denominator: truth_side (only the truth tells which audits are in it), coverage (of
    which decisions), counted_by (the audits behind an amount). As either: known_by and asked_of (audits of
    which the flag is known, among errors or all). As a numerator: is_missed (nothing that was enforced
    is in it), is_partial (an audit may keep a part of what is at stake). -#}
{% macro measure_traits() -%}
    {{ return({
        'n_violating': {'truth_side': 'violating'},
        'n_not_violating': {'truth_side': 'not_violating'},
        'n_enforced': {'coverage': 'enforced_'},
        'n_technical': {'known_by': 'n_technical_known', 'asked_of': 'audits'},
        'n_not_technical': {'known_by': 'n_technical_known', 'asked_of': 'audits'},
        'n_criticality_known': {'known_by': 'n_criticality_known', 'asked_of': 'errors'},
        'severity_points_kept': {'is_partial': true},
        'severity_points_at_stake': {
            'counted_by': 'n_severity_known', 'known_by': 'n_severity_known', 'asked_of': 'errors',
        },
        'views': {'counted_by': 'n_views_known'},
        'n_false_negative': {'is_missed': true},
        'false_negative_views': {'is_missed': true},
    }) }}
{%- endmacro %}

{% macro measures_with(trait, value=none) -%}
    {%- set found = [] -%}
    {%- for measure, traits in measure_traits().items() if traits[trait] and value in (none, traits[trait]) -%}
        {%- do found.append(measure) -%}
    {%- endfor -%}
    {{ return("'" ~ found | join("', '") ~ "'") }}
{%- endmacro %}

{% macro metric_moments(metrics, cells) -%}
    {%- set kept = registered_measure(metrics ~ '.numerator', cells) -%}
    {%- set at_stake = registered_measure(metrics ~ '.denominator', cells) -%}
    {%- set squared = {} -%}
    {%- for term, once in {'numerator': kept, 'denominator': at_stake}.items() -%}
        {%- do squared.update({term: squared_measure(metrics ~ '.' ~ term, cells, once)}) -%}
    {%- endfor -%}
    {#- An audit keeps all that it has at stake or nothing; or all have the same at stake, and keep some. -#}
    {%- set product -%}
        case
            when {{ metrics }}.numerator in ({{ measures_with('is_partial') }})
                then {{ kept }} * {{ at_stake }} / nullif({{ metric_n(metrics, cells) }}, 0)
            else {{ squared['numerator'] }}
        end
    {%- endset -%}

    {{ metric_n(metrics, cells) }} as n,
    {{ kept }} as kept,
    {{ at_stake }} - {{ kept }} as lost,
    {{ squared['numerator'] }} as kept_kept,
    {{ product }} - {{ squared['numerator'] }} as kept_lost,
    {{ squared['denominator'] }} - 2 * {{ product }} + {{ squared['numerator'] }} as lost_lost,
    case
        when {{ is_of_the_truth(metrics) }} then {{ cells }}.n_audits
        else {{ metric_n(metrics, cells) }}
    end as n_base,
    -- A violation can be missed only where nothing was enforced, and the other way round.
    case
        when {{ metrics }}.denominator in ({{ measures_with('truth_side', 'violating') }})
            then {{ cells }}.n_enforced
        when {{ metrics }}.denominator in ({{ measures_with('truth_side', 'not_violating') }})
            then {{ cells }}.n_audits - {{ cells }}.n_enforced
        else 0
    end as n_cannot_err,
    case
        when {{ is_of_the_truth(metrics) }} then 'truth'
        when {{ metrics }}.unit = 'share' then 'share'
        else 'amount'
    end as interval_kind
{%- endmacro %}

{% macro squared_measure(term, cells, once) -%}
    case {{ term }}
        {% for name in audit_measure_squares() -%}
        when '{{ name | replace('_squared', '') }}' then {{ cells }}.{{ name }}
        {% endfor -%}
        else {{ once }}
    end
{%- endmacro %}

{#- A ratio whose denominator only the truth tells: no plan says how many audits fall into it. -#}
{% macro is_of_the_truth(metrics) -%}
    {{ metrics }}.denominator in ({{ measures_with('truth_side') }})
{%- endmacro %}

{% macro metric_n(metrics, cells) -%}
    case {{ metrics }}.denominator
        {% for measure, traits in measure_traits().items() if traits.counted_by -%}
        when '{{ measure }}' then {{ cells }}.{{ traits.counted_by }}
        {% endfor -%}
        else {{ registered_measure(metrics ~ '.denominator', cells) }}
    end
{%- endmacro %}

{#- Of what a metric asks about each audit that it counts (every audit, or every one with an error): how
    many it asks, and of how many nobody said. What is not said drops out, and only errors do. -#}
{% macro n_flags_asked(metrics, population) -%}
    case
        {% for measure, traits in measure_traits().items() if traits.known_by -%}
        when '{{ measure }}' in ({{ metrics }}.numerator, {{ metrics }}.denominator)
            then {{ population }}.n_audits
            {{- ' - ' ~ population ~ '.n_correct' if traits.asked_of == 'errors' }}
        {% endfor -%}
        else 0
    end
{%- endmacro %}

{% macro n_flags_unknown(metrics, population) -%}
    case
        {% for measure, traits in measure_traits().items() if traits.known_by -%}
        when '{{ measure }}' in ({{ metrics }}.numerator, {{ metrics }}.denominator)
            then {{ population }}.n_audits - {{ population }}.{{ traits.known_by }}
        {% endfor -%}
        else 0
    end
{%- endmacro %}

{% macro metric_coverage(metrics, population) -%}
    case
        {% for measure, traits in measure_traits().items() if traits.coverage -%}
        when {{ metrics }}.denominator = '{{ measure }}'
            then {{ coverage_rate(population, of=traits.coverage) }}
        {% endfor -%}
        else {{ coverage_rate(population) }}
    end
{%- endmacro %}
