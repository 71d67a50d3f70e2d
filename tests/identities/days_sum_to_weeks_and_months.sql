with counts as (
    select
        'accuracy_population' as mart,
        period_type,
        dimension_name,
        dimension_value,
        n_decisions,
        n_audits as n,
        n_excluded_audits,
        n_correct as n_successes,
        0 as is_withheld,
        0 as is_hidden
    from {{ ref('accuracy_population') }}
    union all
    -- Of days the rates have some only.
    select
        'accuracy_rates' as mart,
        period_type,
        dimension_name,
        dimension_value,
        n_decisions,
        n,
        n_excluded_audits,
        n_successes,
        case when reason_code like 'suppressed%' then 1 else 0 end
            as is_withheld,
        case when n_decisions is null then 1 else 0 end as is_hidden
    from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy' and metric_version = 1 and period_type <> 'day'
)

select
    mart,
    dimension_name,
    dimension_value,
    sum(case when period_type = 'day' then n_decisions else 0 end) as by_day,
    sum(case when period_type = 'week' then n_decisions else 0 end) as by_week,
    sum(case when period_type = 'month' then n_decisions else 0 end) as by_month,
    sum(case when period_type = 'four_weeks' then n_decisions else 0 end) as by_four_weeks
from counts
group by mart, dimension_name, dimension_value
having
    count(distinct period_type) <> case mart when 'accuracy_population' then 4 else 3 end
    {% for count in ['n_decisions', 'n', 'n_excluded_audits', 'n_successes'] -%}
    {% for period, n_times in {'day': 1, 'week': 1, 'four_weeks': 4}.items() -%}
    or {{ "mart = 'accuracy_population' and" if period == 'day' }}
    {{ 'max(is_withheld) = 0 and' if count in ['n', 'n_successes'] }}
    {{ 'max(is_hidden) = 0 and' if count not in ['n', 'n_successes'] }}
    sum(case when period_type = '{{ period }}' then {{ count }} else 0 end)
    is distinct from
    {{ n_times }} * sum(case when period_type = 'month' then {{ count }} else 0 end)
    {% endfor -%}
    {% endfor %}
