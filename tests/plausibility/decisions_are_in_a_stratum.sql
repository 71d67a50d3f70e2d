-- What no stratum holds no audit can speak for: a stratum that is missing from the frame takes its
-- decisions out of every rate. Between the first frame and the last, whose days may be cut.
with frame as (
    select
        min({{ reporting_date('period_start') }}) as first_day,
        max({{ reporting_date('period_end') }}) as last_day
    from {{ ref('int_sampling__frame') }}
),

days as (
    select
        period_starts_on,
        sum(n_decisions) as n_decisions,
        sum(case when stratum_key is null then n_decisions else 0 end) as n_in_no_stratum
    from {{ ref('accuracy_cells') }}
    where period_type = 'day' and dimension_name = 'overall' and exclusion_reason is null
    group by period_starts_on
)

select
    {{ week_start('days.period_starts_on') }} as week_starts_on,
    sum(days.n_decisions) as n_decisions,
    sum(days.n_in_no_stratum) as n_in_no_stratum
from days
cross join frame
where days.period_starts_on > frame.first_day and days.period_starts_on < frame.last_day
group by {{ week_start('days.period_starts_on') }}
having sum(days.n_in_no_stratum) > {{ tolerance('unframed_decisions') }} * sum(days.n_decisions)
