{#- Why a rate must not be read as it stands, in the order in which it is asked: code, the column that
    a relation has if it can be asked, condition. A code of none: the column has the code. -#}
{% macro guards() -%}
    {{ return([
        [none, 'suppression_code', 'suppression_code is not null'],
        ['not_recorded', 'is_recorded', 'not is_recorded'],
        ['flag_not_filled', 'has_no_flag', 'has_no_flag'],
        ['undefined_for_dimension', 'is_undefined_for_dimension', 'is_undefined_for_dimension'],
        ['no_audits', 'n_group_audits', 'n_group_audits = 0'],
        ['stratum_not_audited', 'has_unaudited_kind', 'has_unaudited_kind'],
        ['zero_denominator', 'unweighted_n', 'unweighted_n = 0'],
        ['no_frame', 'unweighted_n', 'n = 0'],
        ['zero_denominator', 'n', 'n = 0'],
        ['zero_denominator', 'unweighted_n', 'estimate is null'],
        ['zero_denominator', 'has_none', 'has_none'],
        ['too_few_cases', 'minimum_n', 'n < minimum_n'],
        ['too_few_ends', 'n_ends', 'n_ends < ' ~ var('min_ended_jobs')],
        ['not_reached', 'is_reached', 'not is_reached'],
        ['too_few_audits', 'n_base_audits', 'n_base_audits < ' ~ var('min_audits')],
        ['low_effective_n', 'n_base_audits', 'effective_n < ' ~ var('min_effective_n')],
        [
            'low_coverage', 'misframed_rate', 'coverage_rate < ' ~ var('min_coverage_rate'),
        ],
        [
            'frame_disagrees', 'misframed_rate',
            'coverage_rate - misframed_rate < ' ~ var('min_coverage_rate'),
        ],
        ['frame_disagrees', 'misframed_share', 'misframed_share > 1 - ' ~ var('min_coverage_rate')],
        [
            'truth_often_missing', 'unjudged_rate',
            'coverage_rate - unjudged_rate < ' ~ var('min_coverage_rate'),
        ],
        [
            'misses_out_of_sight', 'has_unaudited_kind',
            'share_in_sight < ' ~ var('min_share_in_sight'),
        ],
        ['flag_not_filled', 'has_few_flags', 'has_few_flags'],
        ['not_planned', 'planned_sample_size', 'planned_sample_size is null'],
        ['none_planned', 'planned_sample_size', 'planned_sample_size = 0'],
        ['no_benchmarks', 'n_benchmarks', 'n_benchmarks = 0'],
        [
            'audits_say_too_little', 'informativeness',
            'informativeness <= ' ~ least_informativeness(),
        ],
        [none, 'accuracy_reason_code', 'accuracy_reason_code is not null'],
        ['too_few_benchmarks', 'n_benchmarks', 'n_benchmarks < ' ~ var('min_audits')],
        [none, 'coefficient_reason_code', 'coefficient_reason_code is not null'],
        ['variance_unknown', 'variance_known', 'not variance_known'],
        ['no_variation', 'standard_error', 'standard_error = 0'],
        [
            'too_few_items', 'n_paired_items',
            'n_paired_items < ' ~ var('min_agreement_items'),
        ],
        ['no_interval', 'has_no_interval', 'has_no_interval'],
        ['peers_unknown', 'has_no_peers', 'has_no_peers'],
        [
            'mix_not_comparable', 'comparable_share',
            'comparable_share < ' ~ var('min_comparable_share'),
        ],
        [
            'too_few_appeals', 'n_judged_appeals',
            'n_judged_appeals < ' ~ var('min_appeals'),
        ],
    ]) }}
{%- endmacro %}

{% macro reason_code(asked) -%}
    {%- set known = guards() | map(attribute=1) | unique | list -%}
    {%- for column in asked if column not in known -%}
        {%- do exceptions.raise_compiler_error('No guard asks about ' ~ column) -%}
    {%- endfor -%}
    case
        {% for code, column, condition in guards() if column in asked -%}
        when {{ condition }} then {{ "'" ~ code ~ "'" if code else column }}
        {% endfor -%}
    end
{%- endmacro %}

{#- The block that every rate has. Of a group that is suppressed none of it is shown but n_people, nor
    any of `values`; `counts` of decisions of a queue or policy are. A number goes `without` the parts of
    the block that make no sense of it, as a difference has no coverage. -#}
{% macro publish_rate(
    relation, keys, asked, values=[], counts=[], without=[], weighted=none
) -%}
    {%- set block = [
        'n', 'effective_n', 'coverage_rate', 'estimate', 'standard_error', 'standard_error_reason',
        'ci_low', 'ci_high',
    ] -%}
    {%- set is_shown = 'suppression_code is null' if 'suppression_code' in asked else 'true' -%}
    select
        {% for key in keys -%}
        {{ published_column(key) }},
        {% endfor -%}
        reason_code is null as is_reportable,
        reason_code,
        {% if weighted -%}
        case when {{ is_shown }} then {{ weighting(has_unweighted=weighted == 'or_unweighted') }} else 'none' end
            as weighting,
        {% endif -%}
        {% if 'n_people' not in counts + without -%}
        {{ published_column('n_people') }},
        {% endif -%}
        {% for name in block + values if name not in counts + without -%}
        {{ published_column(name, is_shown) }},
        {% endfor -%}
        {% for name in counts -%}
        {{ published_column(name, work_is_shown()) }},
        {% endfor -%}
        cast({{ var('confidence_level') }} as double) as confidence_level
    from (
        select
            *,
            {{ reason_code(asked) }} as reason_code
        from {{ relation }} as measured
    ) as judged
{%- endmacro %}

{#- Counts are bigint in every mart; what engines make of a sum is theirs. -#}
{% macro published_column(name, is_shown=none) -%}
    {%- set shown = 'case when ' ~ is_shown ~ ' then ' ~ name ~ ' end' if is_shown else name -%}
    {%- if name == 'n' or name.startswith('n_') -%}
    cast({{ shown }} as bigint) as {{ name }}
    {%- elif is_shown -%}
    {{ shown }} as {{ name }}
    {%- else -%}
    {{ name }}
    {%- endif -%}
{%- endmacro %}

{% macro weighting(n='n', has_unweighted=true) -%}
    case
        when {{ n }} > 0 and has_derived_frame then 'derived_frame'
        when {{ n }} > 0 then 'weighted'
        {% if has_unweighted -%}
        when unweighted_rate is not null then 'unweighted'
        {% endif -%}
        else 'none'
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

{#- Of people there is no population by dimension: their audits stand for it. How many decisions a
    stratum has, the frame and the count disagree: the more of the two. -#}
{% macro misframed_share(cells, design, by) -%}
    select
        {{ by | join(', ') }},
        {{ exact_sum('case when not is_frame_held then n_decisions else 0e0 end') }}
        / nullif({{ exact_sum('n_decisions') }}, 0) as misframed_share
    from (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            design.is_frame_held,
            cells.n_audits * greatest(design.population_size, design.n_eligible_decisions)
            / cast(design.n_audits as double) as n_decisions
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
    ) as spoken_for
    group by {{ by | join(', ') }}
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
{% macro is_undefined_for_dimension(metrics, population) -%}
    (
        {{ population }}.dimension_name in ('policy', 'policy_parent')
        and (
            {{ is_of_the_truth(metrics) }}
            or (
                {{ population }}.dimension_value <> 'no_policy'
                and {{ metrics }}.numerator in ({{ measures_with('is_missed') }})
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

{% macro suppress_small_groups(n_people, partition_by, key) -%}
    {#- Small groups are withheld, and the smallest of the others with them: what a total leaves
        besides what is shown is never of fewer than min_people, though the same people may be in
        several groups. A group of nobody has nothing to withhold. -#}
    {%- set minimum = var('min_people') -%}
    {%- set set = partition_by | join(', ') -%}
    case
        when {{ n_people }} between 1 and {{ minimum }} - 1 then 'suppressed_small_group'
        when
            {{ n_people }} >= {{ minimum }}
            and min(case when {{ n_people }} > 0 then {{ n_people }} end)
                over (partition by {{ set }}) < {{ minimum }}
            and row_number() over (
                partition by {{ set }}, {{ n_people }} >= {{ minimum }}
                order by {{ n_people }} asc, {{ key }} asc
            ) = 1
            then 'suppressed_complementary'
    end
{%- endmacro %}

{#- Where rows of a scope can be taken off one another, as months off their quarter, a group is withheld
    in all of it, and so is the smallest group that is in all of it; where there is none, all are. -#}
{% macro suppress_groups_of_a_scope(relation, group) -%}
    {%- set minimum = var('min_people') -%}
    {%- set set = group[:1] + group[2:] -%}
    select
        {{ group | join(', ') }},
        case
            when n_people < {{ minimum }} then 'suppressed_small_group'
            when
                least_people < {{ minimum }}
                and (
                    not is_any_in_all
                    or row_number() over (
                        partition by {{ set | join(', ') }}
                        order by
                            case when n_people >= {{ minimum }} and is_in_all then 0 else 1 end,
                            n_people,
                            {{ group[1] }}
                    ) = 1
                )
                then 'suppressed_complementary'
        end as suppression_code
    from (
        select
            *,
            min(n_people) over (partition by {{ set | join(', ') }}) as least_people,
            max(case when n_people >= {{ minimum }} and is_in_all then 1 else 0 end)
                over (partition by {{ set | join(', ') }}) = 1 as is_any_in_all
        from (
            select
                groups_of.{{ group | join(', groups_of.') }},
                min(case when groups_of.n_people > 0 then groups_of.n_people end) as n_people,
                sum(case when groups_of.n_people > 0 then 1 else 0 end) = max(periods.n_periods)
                    as is_in_all
            from {{ relation }} as groups_of
            inner join (
                select
                    {{ set | join(', ') }},
                    count(distinct concat(period_type, ' ', cast(period_starts_on as string)))
                        as n_periods
                from {{ relation }}
                where n_people > 0
                group by {{ set | join(', ') }}
            ) as periods on {{ same_keys('groups_of', 'periods', set) }}
            group by groups_of.{{ group | join(', groups_of.') }}
        ) as in_scopes
        where n_people is not null
    ) as compared
{%- endmacro %}

{% macro difference_bound(one, other, side) -%}
    {#- Of one minus other, each a rate with an interval: Zou and Donner (2008). -#}
    {%- set far = '_ci_high' if side == 'low' else '_ci_low' -%}
    {%- set near = '_ci_low' if side == 'low' else '_ci_high' -%}
    {{ one }} - {{ other }} {{ '-' if side == 'low' else '+' }} sqrt(
        power({{ one }} - {{ one }}{{ near }}, 2) + power({{ other }} - {{ other }}{{ far }}, 2)
    )
{%- endmacro %}

{#- A share of what was counted: of a relation with keys, n_successes, n, n_people, min_n and
    suppression_code. What is counted in full (min_n is null) is no sample, so it has no interval. -#}
{% macro publish_share(relation, keys, values=[], counts=[], asked=[], without=[]) -%}
    {%- set measured -%}
    (
        select
            *,
            min_n is null as is_counted_in_full,
            case min_n
                {% for name in ['min_audits', 'min_repeats', 'min_appeals'] -%}
                when '{{ name }}' then {{ var(name) }}
                {% endfor -%}
            end as minimum_n,
            n_successes / cast(nullif(n, 0) as double) as estimate
        from {{ relation }}
    )
    {%- endset -%}
    {%- set shares -%}
    (
        select
            *,
            case when not is_counted_in_full then cast(n as double) end as effective_n,
            cast(null as double) as coverage_rate,
            case when estimate > 0 and estimate < 1 and not is_counted_in_full
                then sqrt(estimate * (1 - estimate) / n)
            end as standard_error,
            case
                when estimate is null then null
                when is_counted_in_full then 'counted_in_full'
                when estimate in (0, 1) then 'no_variance_seen'
            end as standard_error_reason,
            {% for side in ['low', 'high'] -%}
            case when not is_counted_in_full then {{ wilson_bound('estimate', 'n', side) }} end
                as ci_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ measured }} as measured
    )
    {%- endset -%}
    {{ publish_rate(
        shares, keys, ['suppression_code', 'n', 'minimum_n'] + asked,
        values=['n_successes'] + values, counts=counts, without=without) }}
{%- endmacro %}
