{% macro mean_gap(pairs, keys) -%}
    {%- set by = keys | join(', ') -%}
    with totals as (
        select
            {{ by }},
            sum(case when exclusion_reason = 'not_rated' then 1 else 0 end) as n_not_rated,
            sum(case when exclusion_reason = 'no_benchmark' then 1 else 0 end) as n_no_benchmark,
            sum(case when exclusion_reason is null then 1 else 0 end) as n,
            count(distinct case when exclusion_reason is null then item_key end) as n_items,
            count(distinct case when exclusion_reason is null then rater_key end) as n_people,
            {{ exact_sum('case when exclusion_reason is null then rating end') }} as rating_sum,
            {{ exact_sum('case when exclusion_reason is null then benchmark end') }}
                as benchmark_sum
        from {{ pairs }}
        group by {{ by }}
    ),

    means as (
        select
            *,
            rating_sum / nullif(n, 0) as rater_mean,
            benchmark_sum / nullif(n, 0) as benchmark_mean,
            (rating_sum - benchmark_sum) / nullif(n, 0) as estimate
        from totals
    ),

    residuals as (
        select
            {% for key in keys -%}
            pairs.{{ key }},
            {% endfor -%}
            pairs.item_key,
            pairs.rater_key,
            pairs.rating - pairs.benchmark - means.estimate as residual
        from {{ pairs }} as pairs
        inner join means
            on {% for key in keys -%}
            pairs.{{ key }} = means.{{ key }}{{ ' and ' if not loop.last }}
            {%- endfor %}
        where pairs.exclusion_reason is null
    ),

    {% for cluster in ['item_key', 'rater_key'] -%}
    by_{{ cluster }} as (
        select
            {{ by }},
            {{ exact_sum('residual') }} as residual_sum
        from residuals
        group by {{ by }}, {{ cluster }}
    ),

    variance_by_{{ cluster }} as (
        select
            {{ by }},
            {{ exact_sum('residual_sum * residual_sum') }} * count(*) / nullif(count(*) - 1, 0)
                as sum_of_squares
        from by_{{ cluster }}
        group by {{ by }}
    ),

    {% endfor -%}
    variance_of_ratings as (
        select
            {{ by }},
            {{ exact_sum('residual * residual') }} * count(*) / nullif(count(*) - 1, 0)
                as sum_of_squares
        from residuals
        group by {{ by }}
    ),

    combined as (
        select
            means.*,
            of_items.sum_of_squares as item_squares,
            of_raters.sum_of_squares as rater_squares,
            of_items.sum_of_squares + of_raters.sum_of_squares - of_ratings.sum_of_squares
                as both_squares
        from means
        {% for relation, name in [
            ('variance_by_item_key', 'of_items'), ('variance_by_rater_key', 'of_raters'),
            ('variance_of_ratings', 'of_ratings'),
        ] -%}
        left join {{ relation }} as {{ name }}
            on {% for key in keys -%}
            means.{{ key }} = {{ name }}.{{ key }}{{ ' and ' if not loop.last }}
            {%- endfor %}
        {% endfor -%}
    )

    select
        *,
        estimate - {{ t_value('degrees_of_freedom') }} * standard_error as ci_low,
        estimate + {{ t_value('degrees_of_freedom') }} * standard_error as ci_high,
        coalesce(standard_error is not null and degrees_of_freedom >= 2, false) as variance_known
    from (
        select
            *,
            -- Of the fewer of what the error is clustered by.
            case when n_people < 2 then n_items else least(n_items, n_people) end - 1
                as degrees_of_freedom,
            sqrt(
                case
                    when n_items < 2 then null
                    when n_people < 2 then item_squares
                    else greatest(both_squares, item_squares, rater_squares)
                end
            ) / nullif(n, 0) as standard_error
        from combined
    ) as with_errors
{%- endmacro %}
