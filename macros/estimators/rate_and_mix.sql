{#- Spark computes a step anew for each use of it: sums over windows, where joins of sums would do. -#}
{% macro rate_and_mix(cells, design, by) -%}
    {%- set keys = by | join(', ') -%}
    {%- set sides = ['earlier', 'later'] -%}
    {%- set segment = by + ['dimension_name', 'dimension_value'] -%}
    {%- set of_dimension = 'partition by ' ~ keys ~ ', dimension_name' -%}
    {%- set parts = ['rate', 'mix'] -%}
    with framed as (
        select
            {% for key in segment + ['side', 'stratum_key'] -%}
            cells.{{ key }},
            {% endfor -%}
            max(design.weight) as weight,
            max(design.variance_stratum_key) as variance_stratum_key,
            max(design.variance_factor) as variance_factor,
            max(design.n_variance_audits) as n_variance_audits,
            cast(sum(cells.n_decisions) as double) as n_decisions,
            cast(sum(cells.n_audits) as double) as n,
            cast(sum(cells.n_successes) as double) as k
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
        where design.n_audits > 0 and {{ computed_once() }}
        group by cells.{{ (segment + ['side', 'stratum_key']) | join(', cells.') }}
    ),

    audits_of_whole as (
        select
            {{ keys }},
            side,
            stratum_key,
            n as n_audits,
            k as n_successes
        from framed
        where dimension_name = 'overall' and n > 0
    ),

    rates_of_whole as (
        {{ stratified_rate('audits_of_whole', design, by + ['side']) }}
    ),

    -- What was published: by the shares of the sample.
    whole as (
        select
            {% for side in sides -%}
            {% for name in ['estimate', 'estimate_ci_low', 'estimate_ci_high'] -%}
            max(case when side = '{{ side }}' then {{ name | replace('estimate_ci', 'ci') }} end)
                as {{ side }}_{{ name }},
            {% endfor -%}
            {% endfor -%}
            {{ keys }}
        from rates_of_whole
        where {{ computed_once() }}
        group by {{ keys }}
    ),

    counted as (
        select
            {% for side in sides -%}
            {% for name in ['n_decisions', 'n'] -%}
            sum(case when side = '{{ side }}' then {{ name }} else 0e0 end) as {{ name }}_{{ side }},
            {% endfor -%}
            {{ exact_sum("case when side = '" ~ side ~ "' then weight * n else 0e0 end") }}
                as weight_{{ side }},
            {{ exact_sum("case when side = '" ~ side ~ "' then weight * k else 0e0 end") }}
            / nullif({{ exact_sum("case when side = '" ~ side ~ "' then weight * n else 0e0 end") }}, 0)
                as own_rate_{{ side }},
            {% endfor -%}
            {{ segment | join(', ') }}
        from framed
        where dimension_name <> 'overall'
        group by {{ segment | join(', ') }}
    ),

    -- The rate that a period lacks is the other's, so that all is mix. Where neither has one, the
    -- segment is left out, as a rate leaves out what was not audited.
    rated as (
        select
            counted.*,
            {% for side, other in [sides, sides[::-1]] -%}
            coalesce(own_rate_{{ side }}, own_rate_{{ other }}) as rate_{{ side }},
            case when n_earlier + n_later > 0 then n_decisions_{{ side }} else 0e0 end
            / nullif(sum(case when n_earlier + n_later > 0 then n_decisions_{{ side }} end)
                over ({{ of_dimension }}), 0) as share_{{ side }},
            sum(case when n_earlier + n_later > 0 then n_decisions_{{ side }} else 0e0 end)
                over ({{ of_dimension }})
            / nullif(sum(n_decisions_{{ side }}) over ({{ of_dimension }}), 0)
                as audited_share_{{ side }},
            {% endfor -%}
            n_earlier > 0 and n_later > 0 as is_in_both
        from counted
    ),

    moved as (
        select
            *,
            case when is_in_both then (share_earlier + share_later) / 2 else 0e0 end as c_rate,
            (share_later - share_earlier) / case when is_in_both then 2 else 1 end as c_mix,
            {% for side in sides -%}
            -- How the mean level of both periods rests on this period's audits.
            case when is_in_both then share_{{ side }} / 2 else (share_earlier + share_later) / 2 end
                as c_level_{{ side }},
            {% endfor -%}
            ({{ exact_sum('share_earlier * rate_earlier + share_later * rate_later',
                over=of_dimension) }}) / 2 as level_of_both
        from rated
        -- Of a period without a decision in an audited stratum, no mix is known.
        where
            n_earlier + n_later > 0 and share_earlier is not null and share_later is not null
            and {{ computed_once() }}
    ),

    residuals as (
        select
            {% for key in segment + ['side', 'variance_stratum_key'] -%}
            placed.{{ key }},
            {% endfor -%}
            placed.c_rate,
            placed.c_mix,
            -- Where the whole has no error, how rates vary was not seen.
            max(case
                when placed.p > 0 and placed.p < 1 or placed.variance_factor = 0
                    then placed.variance_factor
            end) as variance_factor,
            max(placed.n_variance_audits) as n_variance_audits,
            {{ exact_sum('own_part * audit_share * (k - n * r)', 100) }} as u_drawn,
            {{ exact_sum(
                'own_part * audit_share * audit_share * (k * power(1 - r, 2) + (n - k) * power(r, 2)'
                ~ ' + ' ~ pseudo_audits() ~ ' * p * (1 - p))', 100) }} as uu_drawn
        from (
            select
                framed.*,
                moved.c_rate,
                moved.c_mix,
                framed.n / (framed.n + {{ pseudo_audits() }}) as own_part,
                {% for name, of in {
                    'audit_share': 'framed.weight / moved.weight', 'r': 'moved.rate',
                }.items() -%}
                case framed.side
                    when 'earlier' then {{ of }}_earlier
                    else {{ of }}_later
                end as {{ name }},
                {% endfor -%}
                case framed.side
                    when 'earlier' then whole.earlier_estimate
                    else whole.later_estimate
                end as p
            from framed
            inner join moved on {{ same_keys('framed', 'moved', segment) }}
            inner join whole on {{ same_keys('framed', 'whole', by) }}
            where framed.n > 0 and {{ computed_once() }}
        ) as placed
        group by
            placed.c_rate, placed.c_mix,
            placed.{{ (segment + ['side', 'variance_stratum_key']) | join(', placed.') }}
    ),

    variances as (
        select
            {{ segment | join(', ') }},
            side,
            {{ variance_sum('drawn') }} as variance
        from residuals
        group by {{ segment | join(', ') }}, side
    ),

    -- Segments share strata, in which one's error is tied to another's: errors of sums are from these.
    residuals_of_strata as (
        select
            {{ keys }},
            dimension_name,
            variance_stratum_key,
            side,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {% for name in parts -%}
            {{ exact_sum('c_' ~ name ~ ' * u_drawn', 100) }} as u_{{ name }},
            {{ exact_sum('c_' ~ name ~ ' * c_' ~ name ~ ' * uu_drawn', 100) }} as uu_{{ name }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from residuals
        group by {{ keys }}, dimension_name, variance_stratum_key, side
    ),

    errors_of_sums as (
        select
            {{ keys }},
            dimension_name,
            {% for name in parts -%}
            sqrt({{ variance_sum(name) }}) as {{ name }}_error{{ ',' if not loop.last }}
            {% endfor %}
        from residuals_of_strata
        group by {{ keys }}, dimension_name
    ),

    known as (
        select
            {% for side in sides -%}
            case when moved.n_{{ side }} > 0 then {{ side }}.variance else 0e0 end
                as v_{{ side }},
            {% endfor -%}
            moved.*
        from moved
        {% for side in sides -%}
        left join variances as {{ side }}
            on {{ same_keys('moved', side, segment) }} and {{ side }}.side = '{{ side }}'
        {% endfor %}
    ),

    segments as (
        select
            *,
            c_rate * (rate_later - rate_earlier) as rate_contribution,
            -- Plus zero, for a minus times zero is minus zero.
            (share_later - share_earlier) * ((rate_earlier + rate_later) / 2 - level_of_both) + 0e0
                as mix_contribution,
            case when is_in_both then sqrt(power(c_rate, 2) * (v_earlier + v_later)) end
                as rate_error,
            -- Of a segment's own rate, which is a part of the level too, and of the others'.
            sqrt(
                power(share_later - share_earlier, 2) * case
                    when min(case when v_earlier + v_later is null then 0 else 1 end)
                        over ({{ of_dimension }}) = 1
                        then greatest(
                            {{ exact_sum('power(c_level_earlier, 2) * v_earlier'
                                ~ ' + power(c_level_later, 2) * v_later', 100, of_dimension) }}
                            {% for side in sides -%}
                            + v_{{ side }} * case when is_in_both then 0.5e0 else 1e0 end
                            * (case when is_in_both then 0.5e0 else 1e0 end
                                - 2 * c_level_{{ side }})
                            {% endfor -%}
                            , 0e0)
                end
            ) as mix_error
        from known
        where {{ computed_once() }}
    ),

    sums as (
        select
            {{ keys }},
            dimension_name,
            {% for side in sides -%}
            sum(n_{{ side }}) as n_{{ side }},
            max(audited_share_{{ side }}) as share_{{ side }},
            {% endfor -%}
            {% for name in parts -%}
            {{ exact_sum(name ~ '_contribution') }} as {{ name }}_contribution{{ ',' if not loop.last }}
            {% endfor %}
        from segments
        group by {{ keys }}, dimension_name
    ),

    totals as (
        select
            sums.*,
            errors_of_sums.rate_error,
            errors_of_sums.mix_error,
            whole.earlier_estimate,
            whole.later_estimate,
            whole.later_estimate - whole.earlier_estimate as contribution,
            {{ difference_bound('later_estimate', 'earlier_estimate', 'low') }} as contribution_ci_low,
            {{ difference_bound('later_estimate', 'earlier_estimate', 'high') }} as contribution_ci_high
        from sums
        inner join errors_of_sums on {{ same_keys('sums', 'errors_of_sums', by + ['dimension_name']) }}
        inner join whole on {{ same_keys('sums', 'whole', by) }}
        where {{ computed_once() }}
    ),

    every_row as (
        select
            {{ keys }},
            dimension_name,
            dimension_value,
            'segment' as row_type,
            case
                when is_in_both then 'in_both'
                when n_decisions_earlier = 0 then 'new'
                when n_decisions_later = 0 then 'vanished'
                when n_earlier = 0 then 'not_audited_earlier'
                else 'not_audited_later'
            end as segment_status,
            {% for side in sides -%}
            n_{{ side }},
            share_{{ side }},
            own_rate_{{ side }} as rate_{{ side }},
            {% endfor -%}
            {% for name in parts -%}
            {{ name }}_contribution,
            {{ name }}_error,
            {% endfor -%}
            rate_contribution + mix_contribution as contribution,
            cast(null as double) as contribution_ci_low,
            cast(null as double) as contribution_ci_high
        from segments
        union all
        select
            {{ keys }},
            dimension_name,
            'sampling_of_the_mix' as dimension_value,
            'sampling_of_the_mix' as row_type,
            cast(null as string) as segment_status,
            {% for side in sides -%}
            cast(null as bigint) as n_{{ side }},
            cast(null as double) as share_{{ side }},
            cast(null as double) as rate_{{ side }},
            {% endfor -%}
            {% for name in parts -%}
            cast(null as double) as {{ name }}_contribution,
            cast(null as double) as {{ name }}_error,
            {% endfor -%}
            contribution - rate_contribution - mix_contribution as contribution,
            cast(null as double) as contribution_ci_low,
            cast(null as double) as contribution_ci_high
        from totals
        union all
        select
            {{ keys }},
            dimension_name,
            'all' as dimension_value,
            'total' as row_type,
            cast(null as string) as segment_status,
            {% for side in sides -%}
            n_{{ side }},
            share_{{ side }},
            {{ side }}_estimate as rate_{{ side }},
            {% endfor -%}
            {% for name in parts -%}
            {{ name }}_contribution,
            {{ name }}_error,
            {% endfor -%}
            contribution,
            contribution_ci_low,
            contribution_ci_high
        from totals
    )

    select
        {{ keys }},
        dimension_name,
        dimension_value,
        row_type,
        segment_status,
        {% for side in sides -%}
        cast(n_{{ side }} as bigint) as n_audits_{{ side }},
        {% endfor -%}
        {% for name in ['share', 'rate'] -%}
        {% for side in sides -%}
        {{ name }}_{{ side }},
        {% endfor -%}
        {% endfor -%}
        {% for name in parts -%}
        {{ name }}_contribution,
        {{ name }}_error as {{ name }}_contribution_standard_error,
        {{ name }}_contribution - {{ z_value() }} * {{ name }}_error as {{ name }}_contribution_ci_low,
        {{ name }}_contribution + {{ z_value() }} * {{ name }}_error as {{ name }}_contribution_ci_high,
        {% endfor -%}
        contribution,
        contribution_ci_low,
        contribution_ci_high
    from every_row
{%- endmacro %}
