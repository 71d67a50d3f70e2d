with as_of as (
    select {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

counted as (
    select
        'decisions' as feed,
        decided_on as calendar_date,
        coalesce(queue_id, 'unknown') as queue,
        count(*) as n_of_feed,
        sum(case when exclusion_reason = 'automatic_close' then 1 else 0 end) as n_auto_closed,
        count(*) - count(language) as n_without_language,
        count(*) - count(views_at_decision) as n_without_views
    from {{ ref('fct_decisions') }}
    group by decided_on, coalesce(queue_id, 'unknown')
    union all
    select
        'statements_of_reasons' as feed,
        {{ reporting_date('submitted_at') }} as calendar_date,
        'all' as queue,
        count(*) as n_of_feed,
        cast(null as bigint) as n_auto_closed,
        cast(null as bigint) as n_without_language,
        cast(null as bigint) as n_without_views
    from {{ ref('stg_statements_of_reasons') }}
    group by {{ reporting_date('submitted_at') }}
),

summed as (
    select
        counted.feed,
        dimensions.dimension_name,
        case dimensions.dimension_name when 'queue' then counted.queue else 'all' end
            as dimension_value,
        counted.calendar_date,
        sum(counted.n_of_feed) as n_of_feed,
        sum(counted.n_auto_closed) as n_auto_closed,
        sum(counted.n_without_language) as n_without_language,
        sum(counted.n_without_views) as n_without_views
    from counted
    cross join (values ('overall'), ('queue')) as dimensions (dimension_name)
    where counted.feed = 'decisions' or dimensions.dimension_name = 'overall'
    group by
        counted.feed,
        dimensions.dimension_name,
        case dimensions.dimension_name when 'queue' then counted.queue else 'all' end,
        counted.calendar_date
),

feeds as (
    select
        feed,
        dimension_name,
        dimension_value,
        min(calendar_date) as first_day
    from summed
    where {{ computed_once() }}
    group by feed, dimension_name, dimension_value
)

-- Every day from the first on, also those with nothing. Today is not over.
select
    feeds.feed,
    feeds.dimension_name,
    feeds.dimension_value,
    periods.period_starts_on as calendar_date,
    {% for name in ['n_auto_closed', 'n_without_language', 'n_without_views'] -%}
    case
        when feeds.feed = 'decisions' then cast(coalesce(summed.{{ name }}, 0) as bigint)
    end as {{ name }},
    {% endfor -%}
    cast(coalesce(summed.n_of_feed, 0) as bigint) as n_of_feed,
    known_days.what is not null as is_known_day
from feeds
cross join as_of
inner join {{ ref('dim_periods') }} as periods
    on
        feeds.first_day <= periods.period_starts_on
        and as_of.today > periods.period_starts_on
        and periods.period_type = 'day'
left join summed
    on
        {{ same_keys('feeds', 'summed', ['feed', 'dimension_name', 'dimension_value']) }}
        and periods.period_starts_on = summed.calendar_date
left join {{ ref('known_days') }} as known_days on periods.period_starts_on = known_days.day
