{#- Where what happened between two windows sits: CTEs, of the CTEs comparisons (comparison_id, direction,
    base_from, base_to, window_from, window_to), daily (slice_days) and slices (audit_slices). The last is
    drivers: candidates of the first round and of each further one, in which the audits of the drivers found
    so far are left out on both sides. -#}
{% macro ranked_drivers() -%}
    {%- set slice = ['dimension_name', 'dimension_value'] -%}
    {%- set counts = ['n_audits', 'n_errors', 'n_baseline_audits', 'n_baseline_errors'] -%}
dimensions as (
    select
        dimension_name,
        count(distinct dimension_value) as n_values
    from daily
    group by dimension_name
),

cells_1 as (
    select
        comparisons.comparison_id,
        comparisons.direction,
        daily.dimension_name,
        daily.dimension_value,
        daily.risk_cell,
        {% for side, name in [('window', 'n_'), ('base', 'n_baseline_')] -%}
        {% for count in ['audits', 'errors'] -%}
        sum(
            case
                when daily.decided_on between comparisons.{{ side }}_from and comparisons.{{ side }}_to
                    then daily.n_{{ count }}
                else 0
            end
        ) as {{ name }}{{ count }}{{ ',' if not (loop.last and side == 'base') }}
        {% endfor -%}
        {% endfor %}
    from comparisons
    inner join daily
        on
            daily.decided_on between comparisons.window_from and comparisons.window_to
            or daily.decided_on between comparisons.base_from and comparisons.base_to
    where {{ computed_once() }}
    group by
        comparisons.comparison_id, comparisons.direction, daily.dimension_name,
        daily.dimension_value, daily.risk_cell
),

{% for round in range(1, scan_constants().rounds + 1) -%}
{% if round > 1 -%}
taken_{{ round }} as (
    select distinct
        comparisons.comparison_id,
        slices.audit_id,
        slices.decided_on between comparisons.window_from and comparisons.window_to as is_in_window
    from comparisons
    inner join (
        {% for before in range(1, round) -%}
        select comparison_id, dimension_name, dimension_value from found_{{ before }}
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    ) as found on comparisons.comparison_id = found.comparison_id
    inner join slices
        on
            {{ same_keys('found', 'slices', slice) }}
            and (
                slices.decided_on between comparisons.window_from and comparisons.window_to
                or slices.decided_on between comparisons.base_from and comparisons.base_to
            )
),

taken_cells_{{ round }} as (
    select
        taken.comparison_id,
        slices.dimension_name,
        slices.dimension_value,
        slices.risk_cell,
        {{ window_counts() }}
    from taken_{{ round }} as taken
    inner join slices on taken.audit_id = slices.audit_id
    group by
        taken.comparison_id, slices.dimension_name, slices.dimension_value, slices.risk_cell
),

cells_{{ round }} as (
    select
        cells.comparison_id,
        cells.direction,
        cells.dimension_name,
        cells.dimension_value,
        cells.risk_cell,
        {% for name in counts -%}
        cells.{{ name }} - coalesce(taken.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from cells_1 as cells
    -- Only where the round before has found one.
    inner join found_{{ round - 1 }} as found on cells.comparison_id = found.comparison_id
    left join taken_cells_{{ round }} as taken
        on {{ same_keys('cells', 'taken', ['comparison_id'] + slice + ['risk_cell']) }}
    where {{ computed_once() }}
),

{% endif -%}
rates_{{ round }} as (
    {{ risk_rates('cells_' ~ round, ['comparison_id']) }}
),

sums_{{ round }} as (
    {{ observed_and_expected(
        'cells_' ~ round, 'rates_' ~ round, by=['comparison_id', 'direction'] + slice,
        keys=['comparison_id']) }}
),

statistics_{{ round }} as (
    {{ scan_statistic('sums_' ~ round) }}
),

scored_{{ round }} as (
    select
        scored.*,
        {{ driver_score('scored', 'dimensions') }} as evidence_score,
        -- The direction is what the audits say, so a candidate may be as far off either way.
        2 * {{ normal_cdf('-abs(scored.z)') }} as p_value,
        -- Slices of other dimensions with the same counts and risks are the same audits by another name;
        -- the shorter one is kept.
        dense_rank() over (
            partition by
                scored.comparison_id, scored.{{ counts | join(', scored.') }}, scored.risk_errors,
                scored.baseline_risk_errors
            order by dimensions.n_values, length(scored.dimension_name), scored.dimension_name
        ) as same_audits_rank
    from statistics_{{ round }} as scored
    inner join dimensions on scored.dimension_name = dimensions.dimension_name
    where
        {{ is_watched('scored') }}
        and scored.risk_errors >= 1
        and case
            when scored.direction = 'worse' then scored.z > 0 and scored.n_errors >= 2
            else scored.z < 0
        end
),

weighed_{{ round }} as (
    select
        *,
        row_number() over (
            partition by comparison_id order by evidence_score desc, dimension_name, dimension_value
        ) as driver_rank,
        exp(evidence_score - max(evidence_score) over (partition by comparison_id)) as evidence,
        {{ raw_q_value(['comparison_id']) }} as raw_q_value
    from scored_{{ round }}
    where same_audits_rank = 1
),

judged_{{ round }} as (
    select
        *,
        {{ q_value(['comparison_id']) }} as q_value
    from weighed_{{ round }}
    where {{ computed_once() }}
),

found_{{ round }} as (
    select
        weighed.comparison_id,
        weighed.dimension_name,
        weighed.dimension_value
    from judged_{{ round }} as weighed
    inner join statistics_1 as everything
        on
            weighed.comparison_id = everything.comparison_id
            and everything.dimension_name = 'overall'
    where
        {{ computed_once() }}
        and weighed.driver_rank = 1
        and weighed.evidence_score > 0
        and weighed.q_value <= {{ scan_constants().driver_q }}
        -- Where the whole moved the other way, there is no share of it.
        and coalesce({{ explained_share() }}, 1) >= {{ scan_constants().driver_share }}
),

{% endfor -%}
drivers as (
    {% for round in range(1, scan_constants().rounds + 1) -%}
    select
        weighed.comparison_id,
        weighed.direction,
        cast({{ round }} as bigint) as driver_round,
        cast(weighed.driver_rank as bigint) as driver_rank,
        weighed.dimension_name,
        weighed.dimension_value,
        found.comparison_id is not null as is_driver,
        {% for name in counts -%}
        weighed.{{ name }},
        {% endfor -%}
        weighed.expected_errors,
        weighed.ratio,
        weighed.z,
        weighed.q_value,
        weighed.evidence_score,
        weighed.evidence
        / ({{ exact_sum('weighed.evidence', over='partition by weighed.comparison_id') }})
            as share_of_evidence,
        weighed.n_errors - weighed.expected_errors as excess_errors,
        {{ explained_share() }} as explained_share
    from judged_{{ round }} as weighed
    left join found_{{ round }} as found
        on {{ same_keys('weighed', 'found', ['comparison_id'] + slice) }}
    left join statistics_1 as everything
        on
            weighed.comparison_id = everything.comparison_id
            and everything.dimension_name = 'overall'
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)
{%- endmacro %}

{#- Of what the whole is off, the share of a slice; none where the whole moved the other way. -#}
{% macro explained_share() -%}
    case
        when (weighed.n_errors - weighed.expected_errors)
            * (everything.n_errors - everything.expected_errors) > 0
            then (weighed.n_errors - weighed.expected_errors)
                / (everything.n_errors - everything.expected_errors)
    end
{%- endmacro %}
