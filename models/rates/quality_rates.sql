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

groups_of_deciders as (
    select * from {{ ref('int_people__suppressed_groups') }}
    where basis = 'accuracy' and period_type in ('week', 'month')
),

-- A quarter as each of its months.
suppressed as (
    select
        period_type,
        period_starts_on,
        dimension_name,
        dimension_value,
        min(suppression_code) as suppression_code
    from (
        select * from groups_of_deciders
        union all
        select
            basis,
            'quarter' as period_type,
            cast(date_trunc('quarter', period_starts_on) as date) as period_starts_on,
            dimension_name,
            dimension_value,
            suppression_code
        from groups_of_deciders
        where period_type = 'month'
    ) as listed
    group by period_type, period_starts_on, dimension_name, dimension_value
),

counted as (
    select
        {% for key in keys -%}
        cells.{{ key }},
        {% endfor -%}
        metrics.person,
        metrics.min_n,
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
        metrics.min_n
),

of_enough_people as (
    select
        counted.*,
        -- Where auditors are counted, or nobody is, the group is of the people who decided.
        case
            when coalesce(counted.person, 'nobody') in ('auditor', 'nobody')
                then suppressed.suppression_code
        end as few_deciders_code,
        {{ suppress_small_groups('counted.n_people', [
            'counted.metric_id', 'counted.metric_version', 'counted.period_type',
            'counted.period_starts_on', 'counted.dimension_name',
        ], 'counted.dimension_value') }} as few_counted_code
    from counted
    left join suppressed on {{ same_keys('counted', 'suppressed', keys[2:6]) }}
),

coded as (
    select
        *,
        case
            when 'suppressed_small_group' in (few_deciders_code, few_counted_code)
                then 'suppressed_small_group'
            else coalesce(few_deciders_code, few_counted_code)
        end as own_code
    from of_enough_people
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
            when n > 0 and n_withheld = 1 and place_by_size = 1 then 'suppressed_complementary'
        end as suppression_code
    from numbered
)

{{ publish_share('judged', keys) }}
