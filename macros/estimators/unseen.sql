{#- Where only the truth says whether a decision is in a group (all that violate, say), a stratum may
    hold some of the group of which no audit saw one: that nothing missed was found there says
    little where an audit speaks for hundreds. Fay and Feuer's bounds of a weighted sum of rare
    counts (gamma, 1997) allow for one more, unseen, with the weight of a typical audit; here for half
    of one, as the coverage study says. -#}
{% macro unseen_bound(sum, variance, weight, side) -%}
    {%- set half = 0.5 -%}
    {%- if side == 'high' -%}
        {%- set sum = '(' ~ sum ~ ' + ' ~ half ~ ' * ' ~ weight ~ ')' -%}
        {%- set variance = '(' ~ variance ~ ' + ' ~ half ~ ' * ' ~ weight ~ ' * ' ~ weight ~ ')' -%}
    {%- endif -%}
    {#- A chi-square quantile by Wilson and Hilferty, of 2 sum^2 / variance degrees of freedom. -#}
    {%- set spread = '(' ~ variance ~ ' / (9e0 * ' ~ sum ~ ' * ' ~ sum ~ '))' -%}
    case
        when {{ sum }} > 0 then {{ sum }} * power(
            greatest(
                1 - {{ spread }} {{ '+' if side == 'high' else '-' }} {{ z_value() }} * sqrt({{ spread }}),
                0
            ), 3
        )
        else 0
    end
{%- endmacro %}

{% macro widened_by_the_unseen(side) -%}
    {%- set other = 'high' if side == 'low' else 'low' -%}
    {%- set kept = unseen_bound('weighted_numerator', 'kept_variance', 'typical_weight', side) -%}
    {%- set lost = unseen_bound('weighted_lost', 'lost_variance', 'typical_weight', other) -%}
    case
        when ci_{{ side }} is null or typical_weight is null then ci_{{ side }}
        else {{ 'least' if side == 'low' else 'greatest' }}(
            ci_{{ side }},
            {{ kept }} / nullif({{ kept }} + weighted_lost, 0),
            weighted_numerator / nullif(weighted_numerator + {{ lost }}, 0)
        )
    end
{%- endmacro %}

{% macro typical_weights(cells, design, by) -%}
    select
        {% for key in by -%}
        cells.{{ key }},
        {% endfor -%}
        {{ exact_sum('cells.n_decisions * design.weight') }} / sum(cells.n_decisions)
            as typical_weight
    from {{ cells }} as cells
    inner join {{ design }} as design on cells.stratum_key = design.stratum_key
    where cells.n_decisions > 0 and design.weight is not null
    group by cells.{{ by | join(', cells.') }}
{%- endmacro %}
