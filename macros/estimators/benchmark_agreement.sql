{% macro benchmark_agreement(relation, keys) -%}
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        cast(count(distinct case when benchmark_audit_id is not null then auditor_key end) as bigint)
            as n_auditors,
        {% for name, condition in {'correct': "= 'correct'", 'wrong': "<> 'correct'"}.items() -%}
        count(distinct case when benchmark_error_class {{ condition }} then auditor_key end)
            as n_auditors_of_{{ name }},
        {% endfor -%}
        cast(count(*) as bigint) as n_audits,
        cast(count(benchmark_audit_id) as bigint) as n_benchmarked,
        cast(sum(case when is_same_finding then 1 else 0 end) as bigint) as n_same_finding,
        cast(sum(case when benchmark_error_class = 'correct' then 1 else 0 end) as bigint)
            as n_benchmark_correct,
        cast(sum(case when benchmark_error_class <> 'correct' then 1 else 0 end) as bigint)
            as n_benchmark_wrong,
        cast(sum(
            case
                when benchmark_error_class = 'correct' and found_error_class <> 'correct' then 1
                else 0
            end
        ) as bigint) as n_false_alarms,
        cast(sum(
            case
                when benchmark_error_class <> 'correct' and found_error_class = 'correct' then 1
                else 0
            end
        ) as bigint) as n_missed_errors
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}

{% macro share_with_interval(numerator, denominator, name, condition='true') -%}
    {%- set share -%}
        ({{ numerator }} / cast(nullif({{ denominator }}, 0) as double))
    {%- endset -%}
    case when {{ condition }} then {{ share }} end as {{ name }},
    case when {{ condition }} then {{ wilson_bound(share, denominator, 'low') }} end
        as {{ name }}_ci_low,
    case when {{ condition }} then {{ wilson_bound(share, denominator, 'high') }} end
        as {{ name }}_ci_high
{%- endmacro %}
