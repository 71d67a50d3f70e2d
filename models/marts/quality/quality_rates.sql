{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on',
] %}

with cells as (
    select * from {{ ref('quality_cells') }}
),

metrics as (
    select * from {{ ref('metrics') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

counted as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        metrics.person,
        metrics.min_n,
        sum(cells.n_successes) as n_successes,
        sum(cells.n) as n,
        -- Who is not named may be one person.
        case
            when metrics.person is not null
                then greatest(
                    count(
                        distinct case
                            when cells.person_key not in ('unknown', 'not_applicable')
                                then cells.person_key
                        end
                    ),
                    case when sum(cells.n) > 0 then 1 else 0 end
                )
        end as n_people
    from cells
    inner join metrics
        on
            cells.metric_id = metrics.metric_id
            and cells.metric_version = metrics.metric_version
    group by
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        metrics.person,
        metrics.min_n
),

-- The site, vendor and team of whoever decided, where others are counted.
of_decisions as (
    select * from counted
    where n > 0 and coalesce(person, 'nobody') in ('auditor', 'nobody')
),

head_counts as (
    {{ head_counts('of_decisions', 'roster', sets=['metric_id', 'metric_version']) }}
),

of_enough_people as (
    select
        counted.*,
        head_counts.few_people_code as few_on_roster_code,
        {{ few_people('counted.n_people', [
            'counted.metric_id', 'counted.metric_version', 'counted.period_type',
            'counted.period_starts_on', 'counted.dimension_name',
        ], 'counted.dimension_value') }} as few_counted_code
    from counted
    left join head_counts on {{ same_keys('counted', 'head_counts', keys) }}
),

judged as (
    select
        *,
        case
            when 'too_few_people' in (few_on_roster_code, few_counted_code) then 'too_few_people'
            else coalesce(few_on_roster_code, few_counted_code)
        end as few_people_code
    from of_enough_people
)

{{ publish_share('judged', keys) }}
