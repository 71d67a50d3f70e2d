with rates as (
    select
        *,
        case when reason_code in ('too_few_people', 'withheld_with_another') then 1 else 0 end
            as is_withheld
    from {{ ref('accuracy_rates') }}
    where metric_id = 'accuracy' and metric_version = 1
)

select
    dimension_name,
    dimension_value,
    sum(case when period_type = 'day' then n_decisions else 0 end) as by_day,
    sum(case when period_type = 'week' then n_decisions else 0 end) as by_week,
    sum(case when period_type = 'month' then n_decisions else 0 end) as by_month
from rates
group by dimension_name, dimension_value
having
    count(distinct period_type) <> 3
    {% for count in ['n_decisions', 'n_audits', 'n_excluded_audits', 'n_successes'] -%}
    {% for period in ['week', 'month'] -%}
    or {{ 'max(is_withheld) = 0 and' if count in ['n_audits', 'n_successes'] }}
    sum(case when period_type = 'day' then {{ count }} else 0 end)
    is distinct from sum(case when period_type = '{{ period }}' then {{ count }} else 0 end)
    {% endfor -%}
    {% endfor %}
