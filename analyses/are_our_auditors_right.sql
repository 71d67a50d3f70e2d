-- Are our auditors right? Month by month: how often audits find what the benchmark of the same
-- decision finds, which way they err, and what accuracy would be if all audits err so. A missed
-- error makes accuracy look better than it is, a false alarm worse.
with auditors as (
    select * from {{ ref('quality_rates') }}
    where
        metric_id in ('auditor_accuracy', 'auditor_false_alarm_rate', 'auditor_missed_error_rate')
        and period_type = 'month'
        and dimension_name = 'overall'
),

corrected as (
    select * from {{ ref('accuracy_if_audits_err') }}
    where period_type = 'month' and dimension_name = 'overall'
)

select
    auditors.period_starts_on as month_starts_on,
    auditors.metric_id,
    auditors.n,
    auditors.estimate,
    auditors.ci_low,
    auditors.ci_high,
    auditors.reason_code,
    corrected.accuracy as accuracy_published,
    corrected.estimate as accuracy_if_audits_err,
    corrected.ci_low as accuracy_if_audits_err_low,
    corrected.ci_high as accuracy_if_audits_err_high,
    corrected.reason_code as corrected_reason
from auditors
left join corrected on auditors.period_starts_on = corrected.period_starts_on
order by auditors.period_starts_on, auditors.metric_id
