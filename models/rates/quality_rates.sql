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

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
),

counted as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        metrics.person,
        metrics.min_n,
        -- Where nobody is counted, the group is of the people who decided.
        case when metrics.person is null then 'accuracy' else metrics.denominator end as basis,
        cast(sum(cells.n_successes) as bigint) as n_successes,
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
        metrics.min_n,
        metrics.denominator
),

coded as (
    select
        counted.*,
        suppressed.suppression_code as own_code
    from counted
    left join suppressed
        on {{ same_keys('counted', 'suppressed', ['basis'] + keys[2:6]) }}
),

numbered as (
    select
        *,
        sum(case when own_code is not null and n > 0 then 1 else 0 end)
            over (partition by {{ keys[:5] | join(', ') }}) as n_withheld,
        row_number() over (
            partition by {{ keys[:5] | join(', ') }}, own_code is null and n > 0
            order by coalesce(n_people, 0) asc, n asc, dimension_value asc
        ) as place_by_size
    from coded
),

-- Whom the list withholds with a small group may have nothing of this metric.
judged as (
    select
        *,
        case
            when own_code is not null then own_code
            when person is null and n > 0 and n_withheld = 1 and place_by_size = 1
                then 'suppressed_complementary'
        end as suppression_code
    from numbered
)

{{ publish_share('judged', keys) }}
