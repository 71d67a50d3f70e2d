{% macro empirical_bayes(rates, by, key, p='estimate', n='effective_n') -%}
    {%- set peers = by | join(', ') -%}
    {%- set same_peers -%}
        {% for column in by -%}
        known.{{ column }} is not distinct from spreads.{{ column }}
        {{- ' and ' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    with known as (
        select
            {{ peers }},
            {{ key }},
            {{ p }} as p,
            {{ n }} as n
        from {{ rates }}
        where {{ p }} is not null and {{ n }} > 0
    ),

    pooled as (
        select
            {{ peers }},
            count(*) as n_peers,
            {{ exact_sum('n') }} as n_sum,
            {{ exact_sum('n * n') }} as squared_n_sum,
            {{ exact_sum('1 / n') }} as inverse_n_sum,
            {{ exact_sum('n * p') }} as successes_sum
        from known
        group by {{ peers }}
    ),

    spreads as (
        select
            {% for column in by -%}
            pooled.{{ column }},
            {% endfor -%}
            max(pooled.n_peers) as n_peers,
            max(pooled.n_sum) as n_sum,
            max(pooled.squared_n_sum) as squared_n_sum,
            max(pooled.inverse_n_sum / pooled.n_peers) as mean_inverse_n,
            max(pooled.successes_sum / pooled.n_sum) as peer_mean,
            {{ exact_sum('known.n * power(known.p - pooled.successes_sum / pooled.n_sum, 2)') }}
                as spread
        from known
        inner join pooled
            on {{ same_peers | replace('spreads.', 'pooled.') }}
        group by {% for column in by %}pooled.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    ),

    -- The method of moments: what the rates vary beyond chance. It may come out below 0, which is 0.
    between_peers as (
        select
            {{ peers }},
            n_peers,
            peer_mean,
            mean_inverse_n,
            peer_mean * (1 - peer_mean) as variance_of_one,
            greatest(
                (spread - (n_peers - 1) * peer_mean * (1 - peer_mean))
                / nullif(n_sum - squared_n_sum / n_sum, 0),
                0
            ) as between_variance
        from spreads
    ),

    drawn as (
        select
            known.*,
            spreads.n_peers,
            spreads.peer_mean,
            spreads.between_variance,
            spreads.variance_of_one / known.n as v,
            spreads.variance_of_one * spreads.mean_inverse_n as mean_v,
            spreads.between_variance
            / nullif(spreads.between_variance + spreads.variance_of_one / known.n, 0) as own_weight
        from known
        inner join between_peers as spreads
            on {{ same_peers }}
        -- Below five, how much peers differ is not known; where nobody errs, it is not to be had.
        where spreads.n_peers >= greatest({{ var('min_peers') }}, 4) and spreads.variance_of_one > 0
    )

    select
        {{ peers }},
        {{ key }},
        cast(n_peers as bigint) as n_peers,
        peer_mean,
        between_variance,
        own_weight,
        peer_mean + own_weight * (p - peer_mean) as eb_estimate,
        -- Morris (1983): how far a rate is drawn is itself estimated, so the error counts on less.
        {%- set sure_drawing = '((1 - own_weight) * (n_peers - 3) / cast(n_peers - 1 as double))' %}
        sqrt(
            v * (1 - (n_peers - 1) / cast(n_peers as double) * {{ sure_drawing }})
            + 2e0 / (n_peers - 3) * (mean_v + between_variance) / (v + between_variance)
            * power({{ sure_drawing }} * (p - peer_mean), 2)
        ) as eb_standard_error
    from drawn
{%- endmacro %}
