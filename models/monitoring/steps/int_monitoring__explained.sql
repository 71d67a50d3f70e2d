with episodes as (
    select * from {{ ref('int_monitoring__episodes') }}
),

slices as (
    select * from {{ ref('audit_slices') }}
),

rates as (
    select * from {{ ref('int_monitoring__risk_rates') }}
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
        {{ driver_score('episodes', 'dimensions') }} as evidence_score
    from episodes
    inner join dimensions on episodes.dimension_name = dimensions.dimension_name
),

-- Each with every stronger one at the same time.
pairs as (
    select
        this.episode_id,
        this.dimension_name,
        this.dimension_value,
        this.window_ends_on,
        this.window_days,
        this.ratio,
        stronger.episode_id as other_episode_id,
        stronger.dimension_name as other_dimension_name,
        stronger.dimension_value as other_dimension_value,
        stronger.evidence_score as other_evidence_score
    from scored as this
    inner join scored as stronger
        on
            this.direction = stronger.direction
            and this.since <= stronger.last_alarm_on
            and this.last_alarm_on >= stronger.since
            and (
                this.evidence_score < stronger.evidence_score
                or (
                    this.evidence_score = stronger.evidence_score
                    and this.episode_id > stronger.episode_id
                )
            )
),

-- Without what the other has too.
remaining as (
    select
        pairs.episode_id,
        pairs.other_episode_id,
        pairs.other_evidence_score,
        pairs.window_ends_on,
        pairs.window_days,
        slices.risk_cell,
        {{ days_between('slices.decided_on', 'pairs.window_ends_on') }} < pairs.window_days
            as is_in_window,
        slices.n_errors
    from pairs
    inner join slices
        on
            {{ same_keys('pairs', 'slices', ['dimension_name', 'dimension_value']) }}
            and pairs.window_ends_on >= slices.decided_on
            and {{ days_between('slices.decided_on', 'pairs.window_ends_on') }}
            < pairs.window_days + {{ var('scan_baseline_days') }}
    left join slices as taken
        on
            slices.audit_id = taken.audit_id
            and pairs.other_dimension_name = taken.dimension_name
            and pairs.other_dimension_value = taken.dimension_value
    where taken.audit_id is null
),

cells as (
    select
        episode_id,
        other_episode_id,
        other_evidence_score,
        window_ends_on,
        window_days,
        risk_cell,
        {{ window_counts() }}
    from remaining
    group by
        episode_id, other_episode_id, other_evidence_score, window_ends_on, window_days, risk_cell
),

summed as (
    {{ observed_and_expected(
        'cells', 'rates', by=['episode_id', 'other_episode_id', 'other_evidence_score'],
        keys=['window_ends_on', 'window_days']) }}
),

compared as (
    {{ scan_statistic('summed') }}
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
