{% macro stratified_wilson(shares, by, centre='p') -%}
    {%- set keys = by | join(', ') -%}
    {%- set z = z_value() -%}
    {%- set sides = ['low', 'high'] -%}
    {%- set given = by + [
        'p', 'n', 'k', 'share', 'inverse_n', 'unaudited', 'size_unknown', 'is_part',
    ] + ([centre] if centre != 'p' else []) -%}
    with spread_0 as (
        select
            *,
            {% for side in sides -%}
            (k + {{ pseudo_audits() }} * p) / (n + {{ pseudo_audits() }}) as rate_{{ side }},
            1e0 as part_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ shares }}
    ),

    -- Each round shares z² among the strata by what they add to the variance at the last bounds.
    {% for turn in [0, 1, 2] -%}
    bounded_{{ turn }} as (
        select
            {{ given | join(', ') }},
            {% for side in sides -%}
            rate_{{ side }},
            {{ score_bound('rate_' ~ side, z * z ~ ' * part_' ~ side ~ ' * inverse_n', side) }}
                as bound_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from spread_{{ turn }}
    ),

    {% if not loop.last -%}
    weighed_{{ turn }} as (
        select
            {{ given | join(', ') }},
            {% for side in sides -%}
            share * share * inverse_n * bound_{{ side }} * (1 - bound_{{ side }}) as added_{{ side }},
            {{ exact_sum(
                'share * share * inverse_n * bound_' ~ side ~ ' * (1 - bound_' ~ side ~ ')',
                100, over='partition by ' ~ keys) }} as all_added_{{ side }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from bounded_{{ turn }}
    ),

    parted_{{ turn }} as (
        select
            {{ given | join(', ') }},
            {% for side in sides -%}
            coalesce(added_{{ side }} / nullif(all_added_{{ side }}, 0), 0) as part_{{ side }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from weighed_{{ turn }}
    ),

    -- A stratum's rate is drawn toward the group's, the more, the less it says by itself.
    spread_{{ turn + 1 }} as (
        select
            *,
            {% for side in sides -%}
            {%- set drawn = pseudo_audits() ~ ' * (1 - part_' ~ side ~ ')' -%}
            (k + {{ drawn }} * p) / (n + {{ drawn }}) as rate_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from parted_{{ turn }}
    ),

    {% endif -%}
    {% endfor -%}
    summed as (
        select
            {{ keys }},
            max(p) as p,
            {{ exact_sum('share * share * inverse_n', 100) }} as inverse_effective_n,
            max(case when is_part then 1 else 0 end) as has_parts,
            {{ exact_sum('share * (rate_low - bound_low)') }} as reach_low,
            {{ exact_sum('share * (bound_high - rate_high)') }} as reach_high,
            {% for side in sides -%}
            -- Of a group whose size in a stratum is itself a guess.
            {{ exact_sum(
                'share * share * unaudited * size_unknown / n * power(rate_' ~ side
                ~ ' - ' ~ centre ~ ', 2)', 100) }} as size_variance_{{ side }},
            {% endfor -%}
            {% for side, seen in {'low': 'k', 'high': '(n - k)'}.items() -%}
            {{ exact_sum('share * share * unaudited / (n * n) * ' ~ seen, 100) }}
                as count_variance_{{ side }},
            {{ exact_sum('share * (1 - unaudited) / n * ' ~ seen) }} as seen_{{ side }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from bounded_2
        group by {{ keys }}
    ),

    reached as (
        select
            *,
            p - sqrt(power(reach_low, 2) + {{ z * z }} * size_variance_low) as far_low,
            p + sqrt(power(reach_high, 2) + {{ z * z }} * size_variance_high) as far_high
        from summed
    ),

    -- Where few successes or few errors were seen, the bound on their side is a Poisson one.
    near as (
        select
            *,
            case
                when p > 0 and p <= 0.5
                    then least(far_low, {{ few_seen_bound('p', 'count_variance_low') }})
                else far_low
            end as near_low,
            case
                when p < 1 and p >= 0.5
                    then greatest(far_high, 1 - {{ few_seen_bound('(1 - p)', 'count_variance_high') }})
                else far_high
            end as near_high
        from reached
    )

    -- What was seen is part of the truth, where the group is all of its strata.
    select
        {{ keys }},
        inverse_effective_n,
        least(
            greatest(near_low, case when has_parts = 1 then 0e0 else seen_low end), p
        ) as ci_low,
        greatest(
            least(near_high, case when has_parts = 1 then 1e0 else 1 - seen_high end), p
        ) as ci_high
    from near
{%- endmacro %}

{#- With which a stratum's rate is drawn toward the group's; the coverage study says why 2. -#}
{% macro pseudo_audits() -%}
    2
{%- endmacro %}

{% macro inverse_n(weight, n) -%}
    {#- 1 / n* with n* = n (N - 1) / (N - n), N = weight * n. -#}
    case when {{ weight }} > 1 then ({{ weight }} - 1) / ({{ weight }} * {{ n }} - 1) else 0e0 end
{%- endmacro %}

{% macro unaudited_share(weight) -%}
    case when {{ weight }} > 1 then 1 - 1 / {{ weight }} else 0e0 end
{%- endmacro %}
