-- Are our auditors right? Month by month: how often audits find what the benchmark of the same
-- decision finds, which way they err, and what accuracy would be if all audits err so. A missed
-- error makes accuracy look better than it is, a false alarm worse.
with auditors as (
    select * from {{ ref('auditor_accuracy') }}
    where period_type = 'month' and dimension_name = 'overall'
),

corrected as (
    select * from {{ ref('accuracy_if_audits_err') }}
    where period_type = 'month' and dimension_name = 'overall'
)

select
    auditors.period_starts_on as month_starts_on,
    auditors.n_benchmarked,
    auditors.accuracy as auditor_accuracy,
    auditors.accuracy_ci_low as auditor_accuracy_low,
    auditors.accuracy_ci_high as auditor_accuracy_high,
    auditors.false_alarm_rate,
    auditors.missed_error_rate,
    auditors.missed_error_rate_ci_high,
    auditors.reason_code as auditors_reason,
    corrected.accuracy as accuracy_published,
    corrected.estimate as accuracy_if_audits_err,
    corrected.ci_low,
    corrected.ci_high,
    corrected.reason_code as corrected_reason
from auditors
left join corrected on auditors.period_starts_on = corrected.period_starts_on
order by auditors.period_starts_on
