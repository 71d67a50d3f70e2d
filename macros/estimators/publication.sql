{#- How a rate is published, in every mart. Asked of a relation with n_group_audits, unweighted_n,
    n_audits, estimate, standard_error, effective_n, has_unaudited_kind and is_told_by_dimension. -#}
{% macro withheld_reason() -%}
    case
        when is_told_by_dimension then 'told_by_dimension'
        when n_group_audits = 0 then 'no_audits'
        when has_unaudited_kind then 'stratum_not_audited'
        when unweighted_n = 0 then 'nothing_at_stake'
        when n_audits = 0 then 'no_frame'
        when estimate is null then 'nothing_at_stake'
        else {{ thin_sample_reason() }}
    end
{%- endmacro %}

{% macro thin_sample_reason() -%}
    case
        when standard_error is null then 'variance_unknown'
        when n_audits < {{ var('min_audits') }} then 'too_few_audits'
        when effective_n < {{ var('min_effective_n') }} then 'low_effective_n'
    end
{%- endmacro %}

{% macro has_unaudited_kind(population) -%}
    {#- A rate over the truth asks about what enforced and about what did not. -#}
    (
        (
            {{ population }}.n_eligible_enforced_decisions > 0
            and {{ population }}.n_covered_enforced_decisions = 0
        )
        or (
            {{ population }}.n_eligible_decisions > {{ population }}.n_eligible_enforced_decisions
            and {{ population }}.n_covered_decisions = {{ population }}.n_covered_enforced_decisions
        )
    )
{%- endmacro %}

{#- By the policy decided, all decisions of a group enforced, or none did: rates over the truth are 0
    or 1 whatever was decided, and a policy applied is no miss. The marts of policies have the rates. -#}
{% macro is_told_by_dimension(metrics, population) -%}
    (
        {{ population }}.dimension_name in ('policy', 'policy_parent')
        and (
            {{ metrics }}.denominator in ('n_violating', 'n_not_violating')
            or (
                {{ population }}.dimension_value <> 'no_policy'
                and {{ metrics }}.numerator in ('n_false_negative', 'false_negative_views')
            )
        )
    )
{%- endmacro %}

{% macro period_status(period_ends_on, as_of, days=var('accuracy_maturity_days')) -%}
    case
        when {{ add_days(period_ends_on, days) }} < {{ reporting_date(as_of) }}
            then 'final'
        else 'provisional'
    end
{%- endmacro %}
