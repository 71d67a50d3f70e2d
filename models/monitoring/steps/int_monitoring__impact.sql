-- What an alarm's audits say beside their errors: decisions, auditors, and accuracy before and in its window.
{%- set bounds = ['window_ends_on', 'window_days'] %}

with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

design as (
    select * from {{ ref('int_sampling__strata') }}
),

windows as (
    select * from {{ ref('int_monitoring__windows') }}
    where dimension_name = 'overall'
),

rates as (
    {{ risk_rates('windows', bounds) }}
),

audits as (
    select
        episodes.episode_id,
        episodes.since <= slices.decided_on as is_in_window,
        slices.stratum_key,
        slices.auditor_key,
        slices.risk_cell,
        slices.n_errors,
        slices.weight,
        -- In the window, the probability of an error that the days before give the audit.
        rates.risk_rate * (episodes.n_base_errors + {{ scan_prior().slice_errors }})
        / (episodes.base_risk_errors + {{ scan_prior().slice_errors }}) as expected_errors,
        episodes.n_base_errors + {{ scan_prior().slice_errors }} as drawn_base_errors
    from episodes
    inner join slices
        on
            {{ same_keys('episodes', 'slices', ['dimension_name', 'dimension_value']) }}
            and slices.decided_on <= episodes.window_ends_on
            and {{ days_between('slices.decided_on', 'episodes.window_ends_on') }}
            < episodes.window_days + {{ var('scan_baseline_days') }}
    inner join rates
        on {{ same_keys('episodes', 'rates', bounds) }} and slices.risk_cell = rates.risk_cell
),

by_stratum as (
    select
        episode_id,
        is_in_window,
        stratum_key,
        count(*) as n_audits,
        count(*) - sum(n_errors) as n_successes
    from audits
    group by episode_id, is_in_window, stratum_key
),

accuracy as (
    {{ stratified_rate('by_stratum', 'design', by=['episode_id', 'is_in_window']) }}
),

excess as (
    select
        episode_id,
        {{ exact_sum('weight * (n_errors - expected_errors)') }} as excess_wrong_decisions,
        sqrt(
            {{ exact_sum('weight * weight * expected_errors * (1 - least(expected_errors, 1))', 30) }}
            + power({{ exact_sum('weight * expected_errors') }}, 2) / max(drawn_base_errors)
        ) as excess_standard_error
    from audits
    where is_in_window
    group by episode_id
),

by_auditor as (
    select
        episode_id,
        auditor_key,
        sum(n_errors) as n_errors
    from audits
    where is_in_window
    group by episode_id, auditor_key
),

auditors as (
    select
        episode_id,
        max(n_errors) / cast(nullif(sum(n_errors), 0) as double) as largest_auditor_share
    from by_auditor
    group by episode_id
),

-- How many decisions an audit stands for, in the same risk cell before and in the window: another plan.
by_risk_cell as (
    select
        episode_id,
        risk_cell,
        sum(case when is_in_window then 1 else 0 end) as n_audits,
        avg(case when is_in_window then weight end) as weight_now,
        avg(case when not is_in_window then weight end) as weight_before
    from audits
    group by episode_id, risk_cell
),

plans as (
    select
        episode_id,
        sum(n_audits * abs(ln(weight_now / weight_before))) / sum(n_audits) as plan_shift
    from by_risk_cell
    where weight_now is not null and weight_before is not null
    group by episode_id
),

completion as (
    select
        by_stratum.episode_id,
        sum(design.n_audits) / cast(nullif(sum(design.planned_sample_size), 0) as double)
            as completion_rate
    from by_stratum
    inner join design on by_stratum.stratum_key = design.stratum_key
    where by_stratum.is_in_window
    group by by_stratum.episode_id
)

select
    excess.episode_id,
    excess.excess_wrong_decisions,
    excess.excess_standard_error,
    auditors.largest_auditor_share,
    completion.completion_rate,
    plans.plan_shift,
    {% for name in ['estimate', 'ci_low', 'ci_high'] -%}
    {% for side in ['before', 'now'] -%}
    {{ side }}.{{ name }} as accuracy_{{ side }}{{ name | replace('estimate', '') | replace('ci', '_ci') }}
    {{- ',' if not (loop.last and name == 'ci_high') }}
    {% endfor -%}
    {% endfor %}
from excess
left join auditors on excess.episode_id = auditors.episode_id
left join plans on excess.episode_id = plans.episode_id
left join completion on excess.episode_id = completion.episode_id
left join accuracy as before
    on excess.episode_id = before.episode_id and not before.is_in_window
left join accuracy as now
    on excess.episode_id = now.episode_id and now.is_in_window
