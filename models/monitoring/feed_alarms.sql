{% set series = ['feed_measure', 'dimension_name', 'dimension_value'] -%}

with scores as (
    select * from {{ ref('int_monitoring__feed_scores') }}
),

checks as (
    select * from {{ ref('feed_checks') }}
),

since as (
    select
        {{ series | join(', ') }},
        min(calendar_date) as first_day,
        min(case when z is not null then calendar_date end) as judged_since,
        max(calendar_date) as last_day
    from scores
    group by {{ series | join(', ') }}
),

found as (
    select
        scores.*,
        checks.alarm_kind,
        row_number() over (
            partition by
                scores.feed_measure, scores.dimension_name, scores.dimension_value,
                scores.calendar_date
            order by checks.min_change desc, checks.alarm_kind asc
        ) as nth
    from scores
    inner join checks on scores.feed_measure = checks.feed_measure
    where
        abs(scores.z) > checks.min_z
        and case
            when scores.is_share
                then scores.n_observed - scores.n_expected >= checks.min_change * scores.n_of_feed
            when checks.alarm_kind = 'missing_data'
                then scores.n_expected - scores.n_observed >= checks.min_change * scores.n_expected
            else
                abs(scores.n_observed - scores.n_expected) >= checks.min_change * scores.n_expected
        end
),

numbered as (
    select
        *,
        sign(z) as direction,
        row_number() over (
            partition by {{ series | join(', ') }}, alarm_kind, sign(z)
            order by calendar_date
        ) as nth_day
    from found
    where nth = 1
),

runs as (
    select
        alarm_kind,
        {{ series | join(', ') }},
        min(calendar_date) as first_day,
        max(calendar_date) as last_day,
        count(*) as n_days,
        sum(n_observed) / cast(case when is_share then sum(n_of_feed) else 1 end as double)
            as observed,
        {{ exact_sum('n_expected', bits=40) }} / case when is_share then sum(n_of_feed) else 1 end
            as expected,
        case when direction < 0 then min(z) else max(z) end as z
    from numbered
    group by
        alarm_kind, {{ series | join(', ') }}, is_share, direction,
        {{ add_days('calendar_date', '-nth_day') }}
),

learning as (
    select
        'learning' as alarm_kind,
        {{ series | join(', ') }},
        first_day,
        coalesce({{ add_days('judged_since', -1) }}, last_day) as last_day
    from since
)

select
    runs.alarm_kind,
    runs.feed_measure,
    runs.dimension_name,
    runs.dimension_value,
    runs.first_day,
    runs.last_day,
    cast(runs.n_days as bigint) as n_days,
    runs.observed,
    runs.expected,
    runs.observed / nullif(runs.expected, 0) as ratio,
    runs.z,
    since.judged_since,
    checks.what_to_check
from runs
inner join since on {{ same_keys('runs', 'since', series) }}
inner join checks on runs.alarm_kind = checks.alarm_kind and runs.feed_measure = checks.feed_measure
union all
select
    learning.alarm_kind,
    learning.feed_measure,
    learning.dimension_name,
    learning.dimension_value,
    learning.first_day,
    learning.last_day,
    cast({{ days_between('learning.first_day', 'learning.last_day') }} + 1 as bigint) as n_days,
    cast(null as double) as observed,
    cast(null as double) as expected,
    cast(null as double) as ratio,
    cast(null as double) as z,
    since.judged_since,
    cast(null as string) as what_to_check
from learning
inner join since on {{ same_keys('learning', 'since', series) }}
