-- handling_in_milliseconds: Handling times are in milliseconds from one day on.
update decisions set handling_seconds = handling_seconds * 1000 where decided_at > '2026-03-16';

-- handling_negative: One in ten handling times is negative.
update decisions set handling_seconds = -handling_seconds where one_in(10, decision_id);

-- confidence_in_percent: The model's confidence is in percent.
update decisions set confidence = confidence * 100;

-- views_missing: No decision says how often its item was seen.
update decisions set views_at_decision = null;

-- languages_spelt_two_ways: Half of the jobs have their language as "EN-us".
-- undetectable: a language with its country may be another than the one without.
update review_jobs set language = upper(language) || '-us' where one_in(2, job_id);
