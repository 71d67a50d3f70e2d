{%- set slice = ['dimension_name', 'dimension_value'] -%}
{%- set window = ['window_ends_on', 'window_days'] -%}

with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
),

first_scan as (
    select * from {{ ref('int_monitoring__first_scan') }}
),

dimensions as (
    select
        dimension_name,
        count(distinct dimension_value) as n_values
    from slices
    group by dimension_name
),

scored as (
    select
        episodes.*,
        {{ driver_score('episodes', 'dimensions') }} as evidence_score,
        episodes.expected_errors / episodes.risk_errors as usual_rate
    from episodes
    inner join dimensions on episodes.dimension_name = dimensions.dimension_name
),

-- Each with every stronger one at the same time.
pairs as (
    select
        this.*,
        stronger.episode_id as other_episode_id,
        stronger.dimension_name as other_dimension_name,
        stronger.dimension_value as other_dimension_value,
        stronger.evidence_score as other_evidence_score,
        stronger.usual_rate as other_usual_rate
    from scored as this
    inner join scored as stronger
        on
            this.direction = stronger.direction
            and this.window_starts_on <= stronger.last_alarm_on
            and this.last_alarm_on >= stronger.window_starts_on
            and (
                this.evidence_score < stronger.evidence_score
                or (
                    this.evidence_score = stronger.evidence_score
                    and this.episode_id > stronger.episode_id
                )
            )
),

audits as (
    select
        scored.episode_id,
        slices.audit_id,
        slices.n_errors,
        rates.risk_rate
    from scored
    inner join slices
        on
            {{ same_keys('scored', 'slices', slice) }}
            and slices.decided_on between scored.window_starts_on and scored.window_ends_on
    inner join rates
        on
            {{ same_keys('scored', 'rates', window) }}
            and slices.risk_cell = rates.risk_cell
),

parts as (
    select
        pairs.episode_id,
        pairs.other_episode_id,
        sum(case when theirs.audit_id is null then audits.n_errors else 0 end) as own_errors,
        {{ exact_sum('case when theirs.audit_id is null then audits.risk_rate else 0e0 end') }}
            as own_risk_errors,
        {{ exact_sum('case when theirs.audit_id is null then 0e0 else audits.risk_rate end') }}
            as shared_risk_errors
    from pairs
    inner join audits on pairs.episode_id = audits.episode_id
    left join slices as theirs
        on
            audits.audit_id = theirs.audit_id
            and pairs.other_dimension_name = theirs.dimension_name
            and pairs.other_dimension_value = theirs.dimension_value
    group by pairs.episode_id, pairs.other_episode_id
),

-- What is left: without the audits that the other has too. Where these are most of them, all stay,
-- and those of both are expected to be as wrong as the other is in these days.
remaining as (
    select
        pairs.episode_id,
        pairs.other_episode_id,
        pairs.n_baseline_errors,
        pairs.baseline_risk_errors,
        pairs.sampling_variance as episode_variance,
        case
            when parts.own_risk_errors >= parts.shared_risk_errors then parts.own_errors
            else pairs.n_errors
        end as n_errors,
        parts.own_risk_errors + case
            when parts.own_risk_errors >= parts.shared_risk_errors then 0e0
            else
                parts.shared_risk_errors
                * first_scan.n_errors / first_scan.risk_errors / pairs.other_usual_rate
        end as risk_errors
    from pairs
    inner join parts
        on {{ same_keys('pairs', 'parts', ['episode_id', 'other_episode_id']) }}
    inner join first_scan
        on
            pairs.other_dimension_name = first_scan.dimension_name
            and pairs.other_dimension_value = first_scan.dimension_value
            and {{ same_keys('pairs', 'first_scan', window) }}
),

with_variance as (
    select
        *,
        episode_variance * risk_errors as risk_variance
    from remaining
),

compared as (
    {{ scan_statistic('with_variance') }}
),

explained as (
    select
        pairs.episode_id,
        pairs.other_episode_id,
        row_number() over (
            partition by pairs.episode_id
            order by pairs.other_evidence_score desc, pairs.other_episode_id asc
        ) as other_rank
    from pairs
    inner join remaining
        on {{ same_keys('pairs', 'remaining', ['episode_id', 'other_episode_id']) }}
    left join compared
        on {{ same_keys('pairs', 'compared', ['episode_id', 'other_episode_id']) }}
    where
        -- A weak alarm is lost with any audits; it is explained where what is left is not apart.
        coalesce(abs(compared.z), 0) < {{ var('alert_z') }}
        and abs(coalesce(compared.ratio, 1) - 1) < abs(pairs.ratio - 1) / 2
)

select
    scored.episode_id,
    explained.other_episode_id as explained_by,
    scored.evidence_score
from scored
left join explained
    on scored.episode_id = explained.episode_id and explained.other_rank = 1
