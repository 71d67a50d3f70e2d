{#- Shewhart's p chart, Laney's p' chart and the EWMA chart, as Montgomery (Introduction to Statistical
    Quality Control) and the R packages qcc and qicharts2 have them. -#}

{#- Points with the centre line of their chart, a point's own sigma, and Laney's sigma_z: the mean moving
    range of the standardised points over 1.128. -#}
{% macro p_charts(points, chart, at, p, n) -%}
    {%- set of_chart = 'partition by ' ~ chart | join(', ') -%}
    select
        ranged.*,
        {{ exact_sum('moving_range', bits=80, over=of_chart) }}
        / nullif(count(moving_range) over ({{ of_chart }}), 0) / 1.128e0 as sigma_z
    from (
        select
            standardised.*,
            abs(z - lag(z) over ({{ of_chart }} order by nth_week)) as moving_range
        from (
            select
                sized.*,
                ({{ p }} - centre) / nullif(sigma, 0) as z
            from (
                select
                    centred.*,
                    sqrt(centre * (1 - centre) / {{ n }}) as sigma
                from (
                    select
                        points.*,
                        cast(row_number() over ({{ of_chart }} order by {{ at }}) as bigint) as nth_week,
                        {{ exact_sum(p ~ ' * ' ~ n, over=of_chart) }}
                        / ({{ exact_sum(n, over=of_chart) }}) as centre
                    from {{ points }} as points
                ) as centred
            ) as sized
        ) as standardised
    ) as ranged
{%- endmacro %}

{#- The exponentially weighted moving average of a point and all before it, and its sigma: the sum that
    the recursion comes to, so that there is none. It starts at the centre. -#}
{% macro ewma(points, chart, nth, value, centre, sigma, weight) -%}
    {%- set keys = chart + [nth] -%}
    {%- set lost = 'power(1 - ' ~ weight ~ 'e0, points.' ~ nth ~ ' - past.' ~ nth ~ ')' -%}
    select
        points.{{ keys | join(', points.') }},
        max(power(1 - {{ weight }}e0, points.{{ nth }}) * points.{{ centre }})
        + {{ exact_sum(weight ~ 'e0 * ' ~ lost ~ ' * past.' ~ value) }} as ewma,
        sqrt({{ exact_sum(
            'power(' ~ weight ~ 'e0 * ' ~ lost ~ ' * past.' ~ sigma ~ ', 2)', bits=100) }}) as ewma_sigma
    from {{ points }} as points
    inner join {{ points }} as past
        on {{ same_keys('points', 'past', chart) }} and points.{{ nth }} >= past.{{ nth }}
    group by points.{{ keys | join(', points.') }}
{%- endmacro %}

{#- Three sigma from the centre, and still a share. Of a null, greatest and least make the other. -#}
{% macro control_limit(centre, sigma, side) -%}
    case
        when {{ sigma }} is not null then
            {% if side == 'low' -%}
            greatest({{ centre }} - 3 * {{ sigma }}, 0e0)
            {%- else -%}
            least({{ centre }} + 3 * {{ sigma }}, 1e0)
            {%- endif %}
    end
{%- endmacro %}
