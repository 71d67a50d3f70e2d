{#- Cells of quality_rates: what the registry (a relation metrics, of the seed) names as numerator and
    denominator of a metric, from whatever relation has those measures. -#}
{% macro cells_of_metrics(relation, person, measures) -%}
    select
        metrics.metric_id,
        metrics.metric_version,
        sums.period_type,
        sums.period_starts_on,
        sums.period_ends_on,
        sums.dimension_name,
        sums.dimension_value,
        {{ person }} as person_key,
        {% for term, name in {'numerator': 'n_successes', 'denominator': 'n'}.items() -%}
        case metrics.{{ term }}
            {% for measure in measures -%}
            when '{{ measure }}' then sums.{{ measure }}
            {% endfor -%}
        end as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ relation }} as sums
    inner join metrics on metrics.denominator in ('{{ measures | join("', '") }}')
{%- endmacro %}

{% macro rate_cells(relation, day, person, dimensions, measures) -%}
    {%- set keys = [
        'period_type', 'period_starts_on', 'period_ends_on', 'dimension_name', 'dimension_value',
    ] | join(', ') -%}
    {%- set sums -%}
    (
        select
            {{ keys }},
            {{ person }} as person_key,
            {% for name, expression in measures.items() -%}
            cast(sum({{ expression }}) as bigint) as {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from (
            {{ by_period_and_dimension(relation, day, dimensions, types=rare_period_types()) }}
        ) as grouped
        group by {{ keys }}, {{ person }}
    )
    {%- endset -%}
    {{ cells_of_metrics(sums, 'sums.person_key', measures.keys() | list) }}
{%- endmacro %}

{#- The events that quality_rates counts, as CTEs: of the CTEs verdicts, disputes, servings and ratings. -#}
{% macro events_of_shares() -%}
by_audit as (
    select
        audit_id,
        count(*) as n_disputes,
        sum({{ one_where("outcome = 'pending'") }}) as n_pending,
        sum({{ one_where("outcome = 'withdrawn'") }}) as n_withdrawn,
        sum({{ one_where("outcome in ('upheld', 'overturned')") }}) as n_resolved,
        sum({{ one_where("outcome = 'overturned'") }}) as n_overturned
    from disputes
    group by audit_id
),

audits as (
    select
        verdicts.*,
        coalesce(by_audit.n_disputes, 0) as n_disputes,
        coalesce(by_audit.n_pending, 0) as n_pending,
        coalesce(by_audit.n_withdrawn, 0) as n_withdrawn,
        coalesce(by_audit.n_resolved, 0) as n_resolved,
        coalesce(by_audit.n_overturned, 0) as n_overturned
    from verdicts
    left join by_audit on verdicts.audit_id = by_audit.audit_id
    where verdicts.sampling_method <> 'benchmark' and verdicts.found_error_class is not null
),

repeats as (
    select * from ratings
    where rating_number > 1
)
{%- endmacro %}

{#- Of each relation of events_of_shares: day, person, dimensions and what is counted. -#}
{% macro events_by_person() -%}
    {%- set of_servings = person_dimensions() -%}
    {%- do of_servings.update({
        'key_version': 'key_version',
        'policy': "coalesce(true_policy_id, 'no_policy')",
        'action': 'true_action_code',
    }) -%}
    {%- set of_repeats = {} -%}
    {%- for source in ['calibration', 'double_review'] -%}
    {%- for kind in label_kinds() -%}
    {%- set is_asked = "rating_source = '" ~ source ~ "' and label_kind = '" ~ kind ~ "'" -%}
    {%- do of_repeats.update({
        'n_same_' ~ source ~ '_' ~ kind:
            'case when ' ~ is_asked ~ ' then ' ~ one_where('label = label_before') ~ ' end',
        'n_repeats_' ~ source ~ '_' ~ kind: 'case when ' ~ is_asked ~ ' then 1 end',
    }) -%}
    {%- endfor -%}
    {%- endfor -%}
    {{ return({
        'audits': {
            'day': 'audited_on',
            'person': 'auditor_key',
            'dimensions': audit_dimensions(),
            'measures': {
                'n_audits': '1',
                'n_benchmarked': one_where('benchmark_audit_id is not null'),
                'n_same_finding': one_where('is_same_finding'),
                'n_benchmark_correct': one_where("benchmark_error_class = 'correct'"),
                'n_false_alarms': one_where(
                    "benchmark_error_class = 'correct' and found_error_class <> 'correct'"),
                'n_benchmark_wrong': one_where("benchmark_error_class <> 'correct'"),
                'n_missed_errors': one_where(
                    "benchmark_error_class <> 'correct' and found_error_class = 'correct'"),
                'n_audits_with_error': one_where("found_error_class <> 'correct'"),
                'n_audits_disputed':
                    one_where("found_error_class <> 'correct' and n_disputes > 0"),
                'n_disputes': 'n_disputes',
                'n_pending': 'n_pending',
                'n_withdrawn': 'n_withdrawn',
                'n_resolved': 'n_resolved',
                'n_overturned': 'n_overturned',
            },
        },
        'servings': {
            'day': 'served_on',
            'person': 'moderator_key',
            'dimensions': of_servings,
            'measures': {
                'n_served': '1',
                'n_answered': one_where('is_answered'),
                'n_answered_with_good_key': one_where('is_answered and not is_bad_key'),
                'n_answered_with_bad_key': one_where('is_answered and is_bad_key'),
                'n_passed': one_where('is_passed'),
            },
        },
        'repeats': {
            'day': 'rated_on',
            'person': 'rater_key',
            'dimensions': rating_dimensions(),
            'measures': of_repeats,
        },
    }) }}
{%- endmacro %}
