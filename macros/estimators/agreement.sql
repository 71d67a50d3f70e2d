{#- Every coefficient reads one table of cells: how many raters of an item gave it a label. -#}

{% macro rated_items(cells, by) -%}
    {%- set keys = by | join(', ') -%}
    select
        {{ keys }},
        item_key,
        cast(sum(n_ratings) as double) as m,
        case when sum(n_ratings) > 1 then
            cast(sum(n_ratings * n_ratings) - sum(n_ratings) as double)
            / cast(sum(n_ratings) * (sum(n_ratings) - 1) as double)
        end as item_agreement
    from {{ cells }}
    group by {{ keys }}, item_key
{%- endmacro %}

{% macro observed_agreement(items, by) -%}
    {%- set keys = by | join(', ') -%}
    select
        {{ keys }},
        cast(count(*) as double) as n_items,
        cast(count(item_agreement) as double) as n_paired_items,
        {{ exact_sum('item_agreement') }} / nullif(count(item_agreement), 0) as pa
    from {{ items }}
    group by {{ keys }}
{%- endmacro %}

{% macro percent_agreement(items, observed, by) -%}
    select
        {% for key in by -%}
        observed.{{ key }},
        {% endfor -%}
        cast(observed.n_items as bigint) as n_items,
        cast(observed.n_paired_items as bigint) as n_paired_items,
        observed.pa as percent_agreement,
        case when observed.n_paired_items > 1 then
            sqrt(
                {{ exact_sum('power(items.item_agreement - observed.pa, 2)') }}
                / (observed.n_paired_items * (observed.n_paired_items - 1))
            )
        end as percent_agreement_standard_error
    from {{ items }} as items
    inner join {{ observed }} as observed on {{ same_keys('items', 'observed', by) }}
    group by
        {% for key in by -%}
        observed.{{ key }},
        {% endfor -%}
        observed.n_items,
        observed.n_paired_items,
        observed.pa
{%- endmacro %}

{% macro gwets_ac1(cells, items, observed, by) -%}
    {%- set keys = by | join(', ') -%}
    with shares as (
        select
            {% for key in by -%}
            rated.{{ key }},
            {% endfor -%}
            rated.label,
            {{ exact_sum('rated.n_ratings / items.m') }} / max(observed.n_items) as label_share
        from {{ cells }} as rated
        inner join {{ items }} as items
            on {{ same_keys('rated', 'items', by) }} and rated.item_key = items.item_key
        inner join {{ observed }} as observed on {{ same_keys('rated', 'observed', by) }}
        group by {% for key in by %}rated.{{ key }}, {% endfor %}rated.label
    ),

    by_chance as (
        select
            {{ keys }},
            count(*) as n_labels,
            {{ exact_sum('label_share * (1 - label_share)') }}
            / cast(nullif(count(*) - 1, 0) as double) as pe
        from shares
        group by {{ keys }}
    ),

    coefficients as (
        select
            observed.*,
            by_chance.n_labels,
            by_chance.pe,
            (observed.pa - by_chance.pe) / (1 - by_chance.pe) as ac1
        from {{ observed }} as observed
        inner join by_chance on {{ same_keys('observed', 'by_chance', by) }}
    ),

    item_chances as (
        select
            {% for key in by -%}
            rated.{{ key }},
            {% endfor -%}
            rated.item_key,
            {{ exact_sum('rated.n_ratings * (1 - shares.label_share)') }} as n_by_chance
        from {{ cells }} as rated
        inner join shares
            on {{ same_keys('rated', 'shares', by) }} and rated.label = shares.label
        group by {% for key in by %}rated.{{ key }}, {% endfor %}rated.item_key
    ),

    -- What each item adds to the coefficient, once for the agreement that was seen and once for
    -- that by chance, which is estimated from the same items (Gwet 2008).
    residuals as (
        select
            coefficients.*,
            coefficients.n_items / nullif(coefficients.n_paired_items, 0)
            * coalesce(items.item_agreement - coefficients.pe, 0) / (1 - coefficients.pe)
            - 2 * (1 - coefficients.ac1)
            * (
                item_chances.n_by_chance / items.m / nullif(coefficients.n_labels - 1, 0)
                - coefficients.pe
            ) / (1 - coefficients.pe)
            - coefficients.ac1 as residual
        from {{ items }} as items
        inner join item_chances
            on
                {{ same_keys('items', 'item_chances', by) }}
                and items.item_key = item_chances.item_key
        inner join coefficients on {{ same_keys('items', 'coefficients', by) }}
    )

    select
        {{ keys }},
        cast(n_labels as bigint) as n_labels,
        pe as gwets_ac1_chance_agreement,
        ac1 as gwets_ac1,
        case when n_items > 1 then
            sqrt({{ exact_sum('residual * residual') }} / (n_items * (n_items - 1)))
        end as gwets_ac1_standard_error,
        case
            when n_paired_items = 0 then 'no_pairs'
            when n_labels = 1 then 'one_label'
        end as gwets_ac1_reason_code
    from residuals
    group by {{ keys }}, n_items, n_paired_items, n_labels, pe, ac1
{%- endmacro %}

{% macro krippendorffs_alpha(cells, by, level) -%}
    {%- set keys = by | join(', ') -%}
    {%- set is_ordinal = level == 'ordinal' -%}
    {%- set name = 'krippendorffs_alpha_' ~ level -%}
    with valued as (
        select
            {{ keys }},
            item_key,
            {{ 'label_rank' if is_ordinal else 'label' }} as label_value,
            cast(sum(n_ratings) as double) as n
        from {{ cells }}
        group by {{ keys }}, item_key, {{ 'label_rank' if is_ordinal else 'label' }}
    ),

    paired as (
        select
            *,
            sum(n) over (partition by {{ keys }}, item_key) as m
        from valued
        where label_value is not null
    ),

    marginals as (
        select
            {{ keys }},
            label_value,
            sum(n) as n_label
        from paired
        where m > 1
        group by {{ keys }}, label_value
    ),

    -- A label's place among all ratings, less one half: the ordinal distance of two labels is the
    -- distance of these.
    places as (
        select
            *,
            sum(n_label) over (partition by {{ keys }}) as n_all,
            (
                sum(n_label) over (partition by {{ keys }} order by label_value)
                - n_label / 2
            ) / sum(n_label) over (partition by {{ keys }}) - 0.5e0 as place
        from marginals
    ),

    expected as (
        select
            {{ keys }},
            max(n_all) as n_all,
            {% if is_ordinal -%}
            2 * {{ exact_sum('n_label / n_all * place * place') }}
            {%- else -%}
            1 - {{ exact_sum('n_label / n_all * (n_label / n_all)') }}
            {%- endif %} as distance
        from places
        group by {{ keys }}
    ),

    items as (
        select
            {% for key in by -%}
            paired.{{ key }},
            {% endfor -%}
            paired.item_key,
            paired.m,
            {% if is_ordinal -%}
            2 * (
                paired.m * {{ exact_sum('paired.n * places.place * places.place') }}
                - power({{ exact_sum('paired.n * places.place') }}, 2)
            )
            {%- else -%}
            paired.m * paired.m - sum(paired.n * paired.n)
            {%- endif %} as item_distance
        from paired
        inner join places
            on
                {{ same_keys('paired', 'places', by) }}
                and paired.label_value = places.label_value
        where paired.m > 1
        group by {% for key in by %}paired.{{ key }}, {% endfor %}paired.item_key, paired.m
    ),

    observed as (
        select
            {{ keys }},
            {{ exact_sum('item_distance / (m - 1)') }} as distance
        from items
        group by {{ keys }}
    ),

    rated_groups as (
        select
            {{ keys }},
            max(label_value) is null as has_no_order
        from valued
        group by {{ keys }}
    )

    select
        {% for key in by -%}
        rated_groups.{{ key }},
        {% endfor -%}
        1 - observed.distance / expected.n_all * (expected.n_all - 1)
        / (nullif(expected.distance, 0) * expected.n_all) as {{ name }},
        case
            when rated_groups.has_no_order then 'labels_have_no_order'
            when expected.n_all is null then 'no_pairs'
            when expected.distance = 0 then 'one_label'
        end as {{ name }}_reason_code
    from rated_groups
    left join expected on {{ same_keys('rated_groups', 'expected', by) }}
    left join observed on {{ same_keys('rated_groups', 'observed', by) }}
{%- endmacro %}

{% macro fleiss_kappa(cells, items, observed, by) -%}
    {%- set keys = by | join(', ') -%}
    with shares as (
        select
            {% for key in by -%}
            rated.{{ key }},
            {% endfor -%}
            rated.label,
            {{ exact_sum('rated.n_ratings / items.m') }} / max(observed.n_paired_items)
                as label_share
        from {{ cells }} as rated
        inner join {{ items }} as items
            on {{ same_keys('rated', 'items', by) }} and rated.item_key = items.item_key
        inner join {{ observed }} as observed on {{ same_keys('rated', 'observed', by) }}
        where items.m > 1
        group by {% for key in by %}rated.{{ key }}, {% endfor %}rated.label
    ),

    by_chance as (
        select
            {{ keys }},
            {{ exact_sum('label_share * label_share') }} as pe
        from shares
        group by {{ keys }}
    )

    select
        {% for key in by -%}
        observed.{{ key }},
        {% endfor -%}
        (observed.pa - by_chance.pe) / nullif(1 - by_chance.pe, 0) as fleiss_kappa,
        case
            when observed.n_paired_items = 0 then 'no_pairs'
            when by_chance.pe = 1 then 'one_label'
        end as fleiss_kappa_reason_code
    from {{ observed }} as observed
    left join by_chance on {{ same_keys('observed', 'by_chance', by) }}
{%- endmacro %}

{% macro cohens_kappa(cells, items, by) -%}
    {%- set keys = by | join(', ') -%}
    with raters as (
        select
            {{ keys }},
            max(n_raters) as n_raters
        from {{ cells }}
        group by {{ keys }}
    ),

    labels as (
        select
            {% for key in by -%}
            rated.{{ key }},
            {% endfor -%}
            rated.label,
            cast(sum(rated.n_by_first_rater) as double) as n_first,
            cast(sum(rated.n_ratings - rated.n_by_first_rater) as double) as n_second,
            cast(sum(case when rated.n_ratings = 2 then 1 else 0 end) as double) as n_both
        from {{ cells }} as rated
        inner join {{ items }} as items
            on {{ same_keys('rated', 'items', by) }} and rated.item_key = items.item_key
        where rated.n_raters = 2 and items.m = 2
        group by {% for key in by %}rated.{{ key }}, {% endfor %}rated.label
    ),

    pairs as (
        select
            {{ keys }},
            sum(n_both) / sum(n_first) as pa,
            sum(n_first * n_second) / (sum(n_first) * sum(n_first)) as pe
        from labels
        group by {{ keys }}
    )

    select
        {% for key in by -%}
        raters.{{ key }},
        {% endfor -%}
        (pairs.pa - pairs.pe) / nullif(1 - pairs.pe, 0) as cohens_kappa,
        case
            when raters.n_raters <> 2 then 'not_two_raters'
            when pairs.pe is null then 'no_pairs'
            when pairs.pe = 1 then 'one_label'
        end as cohens_kappa_reason_code
    from raters
    left join pairs on {{ same_keys('raters', 'pairs', by) }}
{%- endmacro %}

{% macro agreement_bound(relation, name, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {%- set value, se = relation ~ '.' ~ name, relation ~ '.' ~ name ~ '_standard_error' -%}
    {%- set pe = relation ~ '.gwets_ac1_chance_agreement' if name == 'gwets_ac1' else '0e0' -%}
    {%- set least = '-1e0' if name == 'gwets_ac1' else '0e0' -%}
    {#- Items that all agree, or all disagree, show no spread, and are not certain for that. -#}
    {%- set wilson = wilson_bound(
        relation ~ '.percent_agreement', relation ~ '.n_paired_items', side) -%}
    case
        when {{ se }} is null then null
        when {{ se }} < 1e-9 then (({{ wilson }}) - {{ pe }}) / (1 - {{ pe }})
        when {{ value }} {{ sign }} {{ z_value() }} * {{ se }}
            {{ '< ' ~ least if side == 'low' else '> 1' }}
            then {{ least if side == 'low' else '1e0' }}
        else {{ value }} {{ sign }} {{ z_value() }} * {{ se }}
    end
{%- endmacro %}
