{% macro stratified_rate(cells, design, by, n='n_audits', n_successes='n_successes') -%}
    {#- A share: every audit of the group has one point at stake, kept or lost. -#}
    {%- set columns = by + ['stratum_key'] + [
        n ~ ' as n', n_successes ~ ' as kept', n ~ ' - ' ~ n_successes ~ ' as lost',
        n ~ ' as n_base', "'share' as interval_kind",
    ] -%}
    {{ stratified_ratio(
        '(select ' ~ columns | join(', ') ~ ' from ' ~ cells ~ ')', design, by, kinds=['share']) }}
{%- endmacro %}

{% macro stratified_ratio(cells, design, by, kinds=['share', 'truth', 'amount']) -%}
    {%- set keys = by | join(', ') -%}
    {#- Of points kept or lost whole the squares are the points. -#}
    {%- set squares = ['kept', '0', 'lost'] -%}
    {%- set columns = ['n', 'kept', 'lost', 'n_base'] -%}
    {%- if 'amount' in kinds -%}
        {%- set squares = ['kept_kept', 'kept_lost', 'lost_lost'] -%}
        {%- set columns = columns + squares -%}
    {%- endif -%}
    {%- if 'truth' in kinds -%}
        {%- set columns = columns + ['n_cannot_err'] -%}
    {%- endif -%}
    with weighted as (
        select
            {% for key in by -%}
            cells.{{ key }},
            {% endfor -%}
            cells.interval_kind,
            {% for name in columns -%}
            cast(cells.{{ name }} as double) as {{ name }},
            {% endfor -%}
            design.weight,
            design.n_audits as n_stratum,
            design.collapse_level,
            design.variance_stratum_key,
            design.n_variance_audits,
            design.variance_factor
        from {{ cells }} as cells
        inner join {{ design }} as design on cells.stratum_key = design.stratum_key
        where cells.n_base > 0 and {{ computed_once() }}
    ),

    totals as (
        select
            {{ keys }},
            max(interval_kind) as interval_kind,
            sum(n) as n_audits,
            sum(kept) as n_successes,
            sum(n_base) as n_base_audits,
            sum(case when n > 0 then 1 else 0 end) as n_strata,
            sum(case when n > 0 and collapse_level <> 'stratum' then 1 else 0 end)
                as n_collapsed_strata,
            {{ exact_sum('weight * kept') }} as weighted_numerator,
            {{ exact_sum('weight * (kept + lost)') }} as weighted_denominator,
            {%- if 'truth' in kinds %}
            {{ exact_sum('weight * n_cannot_err') }} as cannot_err,
            {{ exact_sum('weight * (n_base - n_cannot_err)') }} as can_err,
            {{ exact_sum('weight * (weight - 1) * (n_base - n_cannot_err)', 30) }}
                as can_err_unseen,
            {%- endif %}
            {{ exact_sum('weight * n_base') }} as weighted_base
        from weighted
        group by {{ keys }}
    ),

    rates as (
        select
            *,
            -- Where nothing is at stake there is no rate.
            weighted_numerator / nullif(weighted_denominator, 0) as p,
            -- In place of the keys: what follows has a row a stratum, and is summed many times.
            row_number() over (order by {{ keys }}) as rate_number
        from totals
    ),

    placed as (
        select
            rates.rate_number,
            weighted.interval_kind,
            {% for name in columns -%}
            weighted.{{ name }},
            {% endfor -%}
            weighted.collapse_level,
            weighted.variance_stratum_key,
            weighted.variance_factor,
            weighted.n_variance_audits,
            rates.p,
            rates.weighted_numerator,
            rates.weighted_denominator,
            rates.weighted_base,
            weighted.weight / nullif(rates.weighted_denominator, 0) as audit_share,
            weighted.weight * weighted.n_base / rates.weighted_base as share,
            {{ inverse_n('weighted.weight', 'weighted.n_base') }} as inverse_n,
            {{ unaudited_share('weighted.weight') }} as unaudited,
            greatest(1 - weighted.n_base / weighted.n_stratum, 0e0) as size_unknown,
            weighted.n_base < weighted.n_stratum as is_part
        from weighted
        inner join rates
            on {{ same_keys('weighted', 'rates', by) }}
    ),

    -- u = w (kept - p * (kept + lost)) / W, an audit's residual: its sum, its sum of squares, and
    -- the same with the stratum's rate drawn toward the group's.
    residuals as (
        select
            rate_number,
            variance_stratum_key,
            variance_factor,
            n_variance_audits,
            collapse_level = 'stratum' as is_alone,
            audit_share * (kept * (1 - p) - lost * p) as u_as_observed,
            n / (n + {{ pseudo_audits() }}) as own_part,
            power(audit_share, 2) * {{ what_is_left(
                squares[0] ~ ' * power(1 - p, 2) + ' ~ squares[2] ~ ' * power(p, 2)',
                '2 * ' ~ squares[1] ~ ' * p * (1 - p)'
            ) }} as uu_as_observed,
            {{ pseudo_audits() }} * power(audit_share * (kept + lost) / n, 2) * p * (1 - p) as uu_prior
        from placed
        where n > 0
    ),

    variance_strata as (
        select
            rate_number,
            variance_factor,
            n_variance_audits,
            u_as_observed,
            uu_as_observed,
            own_part * u_as_observed as u_drawn,
            own_part * (uu_as_observed + uu_prior) as uu_drawn
        from residuals
        where is_alone
        union all
        select
            rate_number,
            max(variance_factor) as variance_factor,
            max(n_variance_audits) as n_variance_audits,
            {{ exact_sum('u_as_observed', 100) }} as u_as_observed,
            {{ exact_sum('uu_as_observed', 100) }} as uu_as_observed,
            {{ exact_sum('own_part * u_as_observed', 100) }} as u_drawn,
            {{ exact_sum('own_part * (uu_as_observed + uu_prior)', 100) }} as uu_drawn
        from residuals
        where not is_alone
        group by rate_number, variance_stratum_key
    ),

    variances as (
        select
            rate_number,
            {{ variance_sum('as_observed') }} as variance,
            {{ variance_sum('drawn') }} as stabilised_variance
        from variance_strata
        group by rate_number
    ),

    {% if 'amount' in kinds or 'truth' in kinds -%}
    stakes as (
        select
            rate_number,
            -- 1 / effective n of points and views, by what is at stake.
            {{ exact_sum(
                "case when interval_kind = 'amount' then power(audit_share, 2) * n * inverse_n * ("
                ~ squares[0] ~ ' + 2 * ' ~ squares[1] ~ ' + ' ~ squares[2] ~ ') end', 100) }}
                as inverse_effective_n
            {%- if 'truth' in kinds %},
            -- Of the two shares that a ratio over the truth is made of.
            {%- set scale = 'share * share * unaudited / n_base' %}
            {%- for name, pair in {
                'kept_variance': ['kept', 'kept'],
                'lost_variance': ['lost', 'lost'],
                'covariance': ['kept', 'lost'],
            }.items() %}
            {{ exact_sum(
                "case when interval_kind = 'truth' then " ~ scale ~ ' * ('
                ~ shares_covary(pair[0], pair[1]) ~ ') end', 100) }} as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
            {%- endif %}
        from placed
        where interval_kind <> 'share'
        group by rate_number
    ),
    {%- endif %}

    shares as (
        {%- for side in ['kept', 'lost'] if side == 'kept' or 'truth' in kinds %}
        select
            rate_number,
            '{{ side }}' as side,
            n_base as n,
            {{ side }} as k,
            {% set total = 'weighted_numerator' if side == 'kept'
                else '(weighted_denominator - weighted_numerator)' -%}
            {{ total }} / weighted_base as p,
            share,
            inverse_n,
            unaudited,
            size_unknown,
            is_part
        from placed
        where
            {% if side == 'kept' -%}
            interval_kind <> 'amount'
            {%- else -%}
            interval_kind = 'truth'
            {%- endif %}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ),

    bounds_of_shares as (
        {{ stratified_wilson('shares', ['rate_number', 'side']) }}
    ),

    bounds as (
        select
            rate_number,
            {% for side in ['kept', 'lost'] -%}
            max(case when side = '{{ side }}' then ci_low end) as {{ side }}_low,
            max(case when side = '{{ side }}' then ci_high end) as {{ side }}_high
            {{- ',' if not loop.last }}
            {% endfor %},
            max(inverse_effective_n) as inverse_effective_n
        from bounds_of_shares
        group by rate_number
    ),

    measured as (
        select
            rates.*,
            case when rates.p is not null then variances.variance end as variance,
            case when rates.p is not null then variances.stabilised_variance end
                as stabilised_variance,
            {% if kinds == ['share'] -%}
            bounds.inverse_effective_n,
            {%- else -%}
            coalesce(bounds.inverse_effective_n, stakes.inverse_effective_n) as inverse_effective_n,
            {%- endif %}
            {%- if 'truth' in kinds %}
            greatest(least(coalesce(
                stakes.covariance / nullif(sqrt(stakes.kept_variance * stakes.lost_variance), 0), 0
            ), 1e0), -1e0) as correlation,
            {%- endif %}
            bounds.kept_low,
            bounds.kept_high,
            bounds.lost_low,
            bounds.lost_high
        from rates
        left join variances on rates.rate_number = variances.rate_number
        left join bounds on rates.rate_number = bounds.rate_number
        {% if kinds != ['share'] -%}
        left join stakes on rates.rate_number = stakes.rate_number
        {%- endif %}
    ),

    effective as (
        select
            *,
            -- Of the plan, whatever was found.
            case when p is not null then coalesce(1 / nullif(inverse_effective_n, 0), weighted_base) end
                as effective_n
        from measured
    ),

    bounded as (
        select
            *,
            {% for side in ['low', 'high'] -%}
            case
                when p is null then null
                {%- if 'truth' in kinds %}
                when interval_kind = 'truth' then {{ ratio_bound(side) }}
                {%- endif %}
                {%- if 'amount' in kinds %}
                when interval_kind = 'amount' then {{ interval_bound(
                    'p',
                    'coalesce(least(p * (1 - p) / nullif(stabilised_variance, 0), effective_n)'
                    ~ ', effective_n)',
                    side) }}
                {%- endif %}
                else kept_{{ side }}
            end as ci_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from effective
    )

    select
        {{ keys }},
        cast(n_audits as bigint) as n_audits,
        cast(n_successes as bigint) as n_successes,
        cast(n_base_audits as bigint) as n_base_audits,
        cast(n_strata as bigint) as n_strata,
        cast(n_collapsed_strata as bigint) as n_collapsed_strata,
        case when p is not null then weighted_numerator end as weighted_numerator,
        weighted_denominator,
        p as estimate,
        {{ seen_standard_error('variance', 'inverse_effective_n') }},
        stabilised_variance / nullif(p * (1 - p) / n_audits, 0) as design_effect,
        effective_n,
        {% if 'truth' in kinds -%}
        case
            when interval_kind = 'truth' then
                cannot_err
                / nullif(
                    cannot_err
                    + {{ z_value() ** 2 }} * coalesce(can_err_unseen / nullif(can_err, 0), 0),
                    0
                )
        end as share_in_sight,
        {% endif -%}
        ci_low,
        ci_high
    from bounded
{%- endmacro %}

{% macro variance_sum(name) -%}
    {%- set variance -%}
        variance_factor * {{ what_is_left(
            'uu_' ~ name, 'u_' ~ name ~ ' * u_' ~ name ~ ' / n_variance_audits') }}
    {%- endset -%}
    case when count(*) = count(variance_factor) then
        {{ exact_sum(variance, 100) }}
    end
{%- endmacro %}

{#- Audits that are all alike show no variance, which does not say that there is none. -#}
{% macro seen_standard_error(variance, inverse_effective_n) -%}
    case when {{ variance }} > 0 or {{ inverse_effective_n }} = 0 then sqrt({{ variance }}) end
        as standard_error,
    case
        when p is null then null
        when {{ variance }} is null then 'one_audit'
        when {{ variance }} = 0 and {{ inverse_effective_n }} > 0 then 'no_variance_seen'
    end as standard_error_reason
{%- endmacro %}

{#- Of a difference of two numbers that are equal but for rounding, nothing. -#}
{% macro what_is_left(whole, taken) -%}
    case
        when {{ whole }} - {{ taken }} > 1e-12 * ({{ whole }}) then {{ whole }} - {{ taken }}
        else 0e0
    end
{%- endmacro %}

{#- Of an audit's two indicators in a stratum; of a group that is a part of it, by its size too. -#}
{% macro shares_covary(one, other) -%}
    {%- set totals = {
        'kept': 'weighted_numerator', 'lost': '(weighted_denominator - weighted_numerator)'
    } -%}
    {{ one ~ ' / n_base' if one == other else '0' }} - {{ one }} / n_base * {{ other }} / n_base
    + size_unknown * ({{ one }} / n_base - {{ totals[one] }} / weighted_base)
    * ({{ other }} / n_base - {{ totals[other] }} / weighted_base)
{%- endmacro %}

{#- A bound of kept / (kept + lost) from the bounds of two correlated shares: MOVER-R, Donner and Zou
    (2012), for lost / kept. -#}
{% macro ratio_bound(side) -%}
    {%- set kept, lost = '(weighted_numerator / weighted_base)',
        '((weighted_denominator - weighted_numerator) / weighted_base)' -%}
    {%- if side == 'low' -%}
        {%- set of_lost, of_kept = '(lost_high - ' ~ lost ~ ')', '(' ~ kept ~ ' - kept_low)' -%}
    {%- else -%}
        {%- set of_lost, of_kept = '(' ~ lost ~ ' - lost_low)', '(kept_high - ' ~ kept ~ ')' -%}
    {%- endif -%}
    {%- set a = '(' ~ lost ~ ' * ' ~ kept ~ ' - correlation * ' ~ of_lost ~ ' * ' ~ of_kept ~ ')' -%}
    {%- set b = '(' ~ kept ~ ' * ' ~ kept ~ ' - ' ~ of_kept ~ ' * ' ~ of_kept ~ ')' -%}
    {%- set c = '(' ~ lost ~ ' * ' ~ lost ~ ' - ' ~ of_lost ~ ' * ' ~ of_lost ~ ')' -%}
    {%- set root = 'sqrt(greatest(' ~ a ~ ' * ' ~ a ~ ' - ' ~ b ~ ' * ' ~ c ~ ', 0e0))' -%}
    {%- if side == 'low' -%}
        case
            when {{ b }} <= 0 then 0e0
            else least(greatest(1 / (1 + ({{ a }} + {{ root }}) / {{ b }}), 0e0), p)
        end
    {%- else -%}
        greatest(least(1 / (1 + case
            when {{ b }} > 0 then greatest({{ a }} - {{ root }}, 0e0) / {{ b }}
            when {{ a }} + {{ root }} > 0 then greatest({{ c }} / ({{ a }} + {{ root }}), 0e0)
            else 0e0
        end), 1e0), p)
    {%- endif -%}
{%- endmacro %}
