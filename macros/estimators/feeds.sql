{#- What a feed usually is, from the days before, and how far a day is from it. -#}

{#- One row a row of `days`: the median of `value` over the days before it in the same series, and how many
    of these have one; `first` to `last` days before, by steps of `first`. -#}
{% macro median_of_days_before(days, past_days, keys, value, first, last) -%}
    {%- set series = keys[:-1] -%}
    {%- set value = value if 'past.' in value else 'past.' ~ value -%}
    {%- set known = 'today.' ~ keys | join(', today.') -%}
    select
        {{ known }},
        count({{ value }}) as n_known,
        percentile_cont(0.5) within group (order by {{ value }}) as median
    from (
        select
            days.*,
            {{ add_days('days.' ~ keys[-1], '-lags.n_days') }} as past_day
        from {{ days }} as days
        cross join (
            values
            {% for n_days in range(first, last + 1, first) -%}
            ({{ n_days }}){{ ', ' if not loop.last }}
            {%- endfor %}
        ) as lags (n_days)
    ) as today
    left join {{ past_days }} as past
        on {{ same_keys('today', 'past', series) }} and today.past_day = past.{{ keys[-1] }}
    group by {{ known }}
{%- endmacro %}

{#- How far x of n is from a share, in standard deviations: the signed root of the likelihood ratio, which
    holds where few are expected. Half a case is added on both sides, as a share of 0 would rule out any. -#}
{% macro signed_root(x, n, share) -%}
    {%- set p = '((' ~ n ~ ' * ' ~ share ~ ' + 0.5e0) / (' ~ n ~ ' + 1e0))' -%}
    {%- set rest = '(' ~ n ~ ' - ' ~ x ~ ')' -%}
    sign({{ x }} - {{ n }} * {{ p }}) * sqrt(greatest(2 * (
        case when {{ x }} > 0 then {{ x }} * ln({{ x }} / ({{ n }} * {{ p }})) else 0e0 end
        + case
            when {{ rest }} > 0 then {{ rest }} * ln({{ rest }} / ({{ n }} * (1 - {{ p }})))
            else 0e0
        end
    ), 0e0))
{%- endmacro %}

{#- The standard deviation over the median absolute deviation, of a normal distribution. -#}
{% macro mad_to_sd() -%}
    1.4826022185056018e0
{%- endmacro %}
