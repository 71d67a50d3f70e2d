-- What an alarm's audits say beside their errors: decisions, auditors, accuracy before and in it.
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

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
),

audits as (
    select
        episodes.episode_id,
        episodes.window_starts_on <= slices.decided_on as is_in_window,
        slices.stratum_key,
        slices.auditor_key,
        slices.risk_cell,
        slices.n_errors,
        slices.weight,
        -- In the window, the probability of an error that the days before give the audit.
        rates.risk_rate * (episodes.n_baseline_errors + {{ scan_constants().slice_errors }})
        / (episodes.baseline_risk_errors + {{ scan_constants().slice_errors }}) as expected_errors,
        episodes.n_baseline_errors + {{ scan_constants().slice_errors }} as drawn_base_errors
    from episodes
    inner join slices
        on
            {{ same_keys('episodes', 'slices', ['dimension_name', 'dimension_value']) }}
            and episodes.window_ends_on >= slices.decided_on
            and {{ days_between('slices.decided_on', 'episodes.window_ends_on') }}
            < episodes.window_days + {{ var('scan_baseline_days') }}
    inner join rates
        on {{ same_keys('episodes', 'rates', bounds) }} and slices.risk_cell = rates.risk_cell
    where {{ computed_once() }}
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
            {{ exact_sum(
                'weight * weight * expected_errors * (1 - least(expected_errors, 1))', 30) }}
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

-- How many decisions an audit stands for, in a risk cell before and in the window: another plan.
by_risk_cell as (
    select
        episode_id,
        risk_cell,
        sum(case when is_in_window then 1 else 0 end) as n_audits,
        {{ exact_sum('case when is_in_window then weight end', 30) }}
        / nullif(sum(case when is_in_window then 1 else 0 end), 0) as weight_now,
        {{ exact_sum('case when not is_in_window then weight end', 30) }}
        / nullif(sum(case when is_in_window then 0 else 1 end), 0) as weight_before
    from audits
    group by episode_id, risk_cell
),

plans as (
    select
        episode_id,
        {{ exact_sum('n_audits * abs(ln(weight_now / weight_before))', 30) }} / sum(n_audits)
            as plan_shift
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
    before_it.estimate as accuracy_before,
    before_it.ci_low as accuracy_before_ci_low,
    before_it.ci_high as accuracy_before_ci_high,
    in_it.estimate as accuracy_now,
    in_it.ci_low as accuracy_now_ci_low,
    in_it.ci_high as accuracy_now_ci_high
from excess
left join auditors on excess.episode_id = auditors.episode_id
left join plans on excess.episode_id = plans.episode_id
left join completion on excess.episode_id = completion.episode_id
left join accuracy as before_it
    on excess.episode_id = before_it.episode_id and not before_it.is_in_window
left join accuracy as in_it
    on excess.episode_id = in_it.episode_id and in_it.is_in_window
