{#- Counts are of rows with dimension overall; `change` is what rate_and_mix made of the same cells. -#}
{% macro change_checks(sides, cells, daily, design, change) -%}
    {%- set side = ['comparison_id', 'side'] -%}
    {%- set loose = (1 - var('min_coverage_rate')) | round(9) -%}
    {%- set checks = {
        'days_without_decisions': ['most', 0],
        'decisions_in_audited_strata': ['least', var('min_coverage_rate')],
        'decisions_in_strata_of_both': ['least', var('min_coverage_rate')],
        'planned_audits_done': ['least', '1 - ' ~ tolerance('missing_audits')],
        'truths_missing': ['most', loose],
        'segments_of_one_period': ['most', loose],
        'segments_not_audited': ['most', loose],
    } -%}
    with days as (
        select
            sides.comparison_id,
            sides.side,
            max({{ days_between('sides.starts_on', 'sides.ends_on') }}) + 1
            - count(distinct daily.decided_on) as days_without_decisions
        from {{ sides }} as sides
        left join {{ daily }} as daily
            on
                daily.decided_on >= sides.starts_on
                and daily.decided_on <= sides.ends_on
                and daily.n_decisions > 0
        group by sides.comparison_id, sides.side
    ),

    placed as (
        select
            cells.comparison_id,
            cells.side,
            cells.stratum_key,
            design.plan_id,
            design.stratum_id,
            coalesce(max(design.n_audits), 0) as n_done,
            max(design.planned_sample_size) as n_planned,
            sum(case when cells.exclusion_reason is null then cells.n_decisions else 0 end)
                as n_decisions,
            sum(case when cells.exclusion_reason is null then cells.n_audits else 0 end)
                as n_counted,
            sum(case when cells.exclusion_reason = 'truth_missing' then cells.n_audits else 0 end)
                as n_blank
        from {{ cells }} as cells
        left join {{ design }} as design on cells.stratum_key = design.stratum_key
        where cells.dimension_name = 'overall' and {{ computed_once() }}
        group by
            cells.comparison_id, cells.side, cells.stratum_key, design.plan_id, design.stratum_id
    ),

    compared as (
        select
            *,
            n_done > 0
            and min(case when n_done > 0 then side end)
                over (partition by comparison_id, plan_id, stratum_id)
            <> max(case when n_done > 0 then side end)
                over (partition by comparison_id, plan_id, stratum_id) as is_in_both
        from placed
    ),

    counted as (
        select
            comparison_id,
            side,
            sum(case when n_done > 0 then n_decisions else 0 end)
            / cast(nullif(sum(n_decisions), 0) as double) as decisions_in_audited_strata,
            sum(case when is_in_both then n_decisions else 0 end)
            / cast(nullif(sum(case when n_done > 0 then n_decisions else 0 end), 0) as double)
                as decisions_in_strata_of_both,
            sum(case when n_planned > 0 then least(n_done, n_planned) end)
            / cast(nullif(sum(n_planned), 0) as double) as planned_audits_done,
            sum(n_blank) / cast(nullif(sum(n_blank) + sum(n_counted), 0) as double)
                as truths_missing
        from compared
        group by comparison_id, side
    ),

    -- Of the dimension in which it is the most.
    segments as (
        select
            comparison_id,
            {% for name in ['earlier', 'later'] -%}
            max(of_one_{{ name }}) as of_one_{{ name }},
            max(not_audited_{{ name }}) as not_audited_{{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from (
            select
                comparison_id,
                dimension_name,
                {% for name in ['earlier', 'later'] -%}
                {{ exact_sum("case when segment_status in ('new', 'vanished') then share_"
                    ~ name ~ ' else 0e0 end') }} as of_one_{{ name }},
                {{ exact_sum("case when segment_status like 'not_audited%' then share_" ~ name
                    ~ " when row_type = 'total' then 1 - share_" ~ name ~ ' else 0e0 end') }}
                    as not_audited_{{ name }}{{ ',' if not loop.last }}
                {% endfor %}
            from {{ change }} as change
            group by comparison_id, dimension_name
        ) as of_dimensions
        group by comparison_id
    ),

    measured as (
        select
            days.comparison_id,
            days.side,
            cast(days.days_without_decisions as double) as days_without_decisions,
            counted.decisions_in_audited_strata,
            counted.decisions_in_strata_of_both,
            counted.planned_audits_done,
            counted.truths_missing,
            case days.side
                when 'earlier' then segments.of_one_earlier
                else segments.of_one_later
            end as segments_of_one_period,
            case days.side
                when 'earlier' then segments.not_audited_earlier
                else segments.not_audited_later
            end as segments_not_audited
        from days
        left join counted on {{ same_keys('days', 'counted', side) }}
        left join segments on days.comparison_id = segments.comparison_id
    ),

    checked as (
        {% for name, rule in checks.items() -%}
        select
            comparison_id,
            '{{ name }}' as gate_check,
            '{{ rule[0] }}' as allows,
            cast({{ rule[1] }} as double) as threshold,
            {% for of_side in ['earlier', 'later'] -%}
            max(case when side = '{{ of_side }}' then {{ name }} end) as value_{{ of_side }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from measured
        group by comparison_id
        {{ 'union all' if not loop.last }}
        {% endfor %}
    )

    select
        comparison_id,
        gate_check,
        case
            when value_earlier is null or value_later is null then 'unknown'
            when allows = 'most' and greatest(value_earlier, value_later) > threshold then 'look'
            when allows = 'least' and least(value_earlier, value_later) < threshold then 'look'
            else 'ok'
        end as gate_status,
        value_earlier,
        value_later,
        threshold
    from checked
{%- endmacro %}
