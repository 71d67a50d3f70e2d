-- handling_in_milliseconds: Handling times are in milliseconds from one day on.
update decisions set handling_seconds = handling_seconds * 1000 where decided_at > '2026-03-16';

-- handling_negative: One in ten handling times is negative.
update decisions set handling_seconds = -handling_seconds where one_in(10, decision_id);

-- handling_nan: One in fifty handling times is not a number.
update decisions set handling_seconds = 'nan'::double where one_in(50, decision_id);

-- confidence_in_percent: The model's confidence is in percent.
update decisions set confidence = confidence * 100;

-- confidence_infinite: One in fifty confidences is infinite.
update decisions set confidence = 'inf'::double where one_in(50, decision_id);

-- views_negative: One in ten decisions has fewer than no views.
update decisions set views_at_decision = -views_at_decision where one_in(10, decision_id);

-- views_missing: No decision says how often its item was seen.
update decisions set views_at_decision = null;

-- views_of_another_day: Views are those of today: a thousand times as many.
update decisions set views_at_decision = views_at_decision * 1000 where one_in(20, decision_id);

-- languages_spelt_two_ways: Half of the jobs have their language as "EN-us".
update review_jobs set language = upper(language) || '-us' where one_in(2, job_id);

-- languages_null_as_text: One in five jobs has the language "null".
update review_jobs set language = 'null' where one_in(5, job_id);

-- item_types_spelt_two_ways: Half of the jobs have their item's type in capitals.
update review_jobs set item_type = upper(item_type) where one_in(2, job_id);

-- reasons_misspelt: Half of the jobs that users reported came from "User report".
update review_jobs set enqueue_reason = 'User report'
where enqueue_reason = 'user_report' and one_in(2, job_id);

-- model_versions_missing: No decision names the model's version.
update decisions set model_version = null;

-- targets_in_percent: Queues' targets are in percent.
update queues set target_accuracy = target_accuracy * 100;

-- turnaround_in_seconds: Queues' turnaround targets are in seconds.
update queues set target_turnaround_minutes = target_turnaround_minutes * 60;

-- policy_severity_misspelt: Policies' severities are in capitals.
update policies set severity = upper(severity);

-- shift_hours_in_minutes: Paid time is in minutes.
update shift_hours set paid_seconds = paid_seconds / 60;

-- shift_hours_doubled: Every shift is there twice, under two systems.
insert into shift_hours
from shift_hours select * replace ('second_workforce' as source_system);
