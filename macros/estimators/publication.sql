{#- How a rate is published, in every mart. Asked of a relation with n_group_audits, unweighted_n,
    n_audits, n_base_audits, estimate, effective_n, coverage_rate, misframed_rate, unjudged_rate,
    share_in_sight, has_unaudited_kind and is_told_by_dimension. None of them but the estimate's being there depends on what was found. -#}
{% macro withheld_reason() -%}
    case
        when is_told_by_dimension then 'told_by_dimension'
        when n_group_audits = 0 then 'no_audits'
        when has_unaudited_kind then 'stratum_not_audited'
        when unweighted_n = 0 then 'nothing_at_stake'
        when n_audits = 0 then 'no_frame'
        when estimate is null then 'nothing_at_stake'
        else coalesce(
            {{ thin_sample_reason() }},
            case
                when share_in_sight < {{ var('min_share_in_sight') }} then 'misses_out_of_sight'
            end
        )
    end
{%- endmacro %}

{% macro thin_sample_reason() -%}
    case
        when n_base_audits < {{ var('min_audits') }} then 'too_few_audits'
        when effective_n < {{ var('min_effective_n') }} then 'low_effective_n'
        when coverage_rate < {{ var('min_coverage_rate') }} then 'low_coverage'
        when coverage_rate - misframed_rate < {{ var('min_coverage_rate') }}
            then 'frame_disagrees'
        when coverage_rate - unjudged_rate < {{ var('min_coverage_rate') }}
            then 'truth_often_missing'
    end
{%- endmacro %}

{% macro coverage_rate(population, of='') -%}
    {{ population }}.n_covered_{{ of }}decisions
    / cast(
        nullif(
            {{ population }}.n_eligible_{{ of }}decisions
            - {{ population }}.n_pending_{{ of }}decisions,
            0
        ) as double
    )
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
            {{ is_of_the_truth(metrics) }}
            or (
                {{ population }}.dimension_value <> 'no_policy'
                and {{ metrics }}.numerator in ('n_false_negative', 'false_negative_views')
            )
        )
    )
{%- endmacro %}

{% macro period_status(period_ends_on, as_of, days) -%}
    case
        when {{ add_days(period_ends_on, days) }} < {{ reporting_date(as_of) }}
            then 'final'
        else 'provisional'
    end
{%- endmacro %}

{% macro few_people(n_people, partition_by, key) -%}
    {#- Small groups are withheld, and the smallest of the others with them: what a total leaves
        besides what is shown is never of fewer than min_people, though the same people may be in
        several groups. A group of nobody has nothing to withhold. -#}
    {%- set minimum = var('min_people') -%}
    {%- set set = partition_by | join(', ') -%}
    case
        when {{ n_people }} between 1 and {{ minimum }} - 1 then 'too_few_people'
        when
            {{ n_people }} >= {{ minimum }}
            and min(case when {{ n_people }} > 0 then {{ n_people }} end)
                over (partition by {{ set }}) < {{ minimum }}
            and row_number() over (
                partition by {{ set }}, {{ n_people }} >= {{ minimum }}
                order by {{ n_people }} asc, {{ key }} asc
            ) = 1
            then 'withheld_with_another'
    end
{%- endmacro %}

{% macro difference_bound(one, other, side) -%}
    {#- Of one minus other, each a rate with an interval: Zou and Donner (2008). -#}
    {%- set far = '_ci_high' if side == 'low' else '_ci_low' -%}
    {%- set near = '_ci_low' if side == 'low' else '_ci_high' -%}
    {{ one }} - {{ other }} {{ '-' if side == 'low' else '+' }} sqrt(
        power({{ one }} - {{ one }}{{ near }}, 2) + power({{ other }} - {{ other }}{{ far }}, 2)
    )
{%- endmacro %}

{#- How a share is published: of a relation with keys, n_successes, n, n_people, min_n and
    few_people_code. What is counted in full (min_n is null) is no sample, so it has no interval. -#}
{% macro publish_share(relation, keys) -%}
    {%- set minimum -%}
        case min_n
            {% for name in ['min_audits', 'min_repeats'] -%}
            when '{{ name }}' then {{ var(name) }}
            {% endfor -%}
        end
    {%- endset -%}
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        reason_code is null as is_reportable,
        reason_code,
        cast(n_people as bigint) as n_people,
        cast(shown_n as bigint) as n,
        cast(case when shown_n is not null then n_successes end as bigint) as n_successes,
        estimate,
        case when estimate > 0 and estimate < 1 and not is_counted_in_full
            then sqrt(estimate * (1 - estimate) / shown_n)
        end as standard_error,
        case
            when estimate is null then null
            when is_counted_in_full then 'counted_in_full'
            when estimate in (0, 1) then 'no_variance_seen'
        end as standard_error_reason,
        {% for side in ['low', 'high'] -%}
        case when not is_counted_in_full then {{ wilson_bound('estimate', 'shown_n', side) }} end
            as ci_{{ side }},
        {% endfor -%}
        cast({{ var('confidence_level') }} as double) as confidence_level
    from (
        select
            *,
            min_n is null as is_counted_in_full,
            case when few_people_code is null then n end as shown_n,
            case when few_people_code is null then n_successes / cast(nullif(n, 0) as double) end
                as estimate,
            case
                -- That nothing is there would tell what it was withheld for.
                when few_people_code is not null then few_people_code
                when n = 0 then 'nothing_at_stake'
                when n < {{ minimum }} then 'too_few_cases'
            end as reason_code
        from {{ relation }}
    ) as shares
{%- endmacro %}
