-- errors_lost_and_planned_missing: Half of the errors are lost, and no plan says how many there were.
-- both: errors_lost, planned_missing

-- errors_lost_and_frame_too_large: Half of the errors are lost, and populations are too large.
-- both: errors_lost, frame_too_large

-- truth_copied_and_benchmarks_copied: The truth is the decision, and experts copied it.
-- both: truth_copied, benchmarks_copied

-- one_auditor_copies_and_is_not_named: One auditor agrees with all, and no audit says who audited.
-- both: truth_copied_by_one_auditor, auditor_missing

-- unequal_and_planned_missing: Chances differ within strata, and no plan says how many audits.
-- both: probabilities_unequal, planned_missing

-- local_time_and_frame_in_local_time: Decisions and the frame are in local time, sent as UTC.
-- both: decisions_wholly_in_local_time, frame_in_local_time

-- targeted_declared_and_planned_too_many: Targeted audits are declared random, and fit the plan.
-- both: targeted_declared_random, planned_too_many

-- blank_truth_and_drafts: Truths are blank where wrong, and drafts are declared final.
-- both: truth_blank_in_half_of_errors, drafts_declared_final

-- revisions_backwards_and_at_load: Revisions are numbered backwards and recorded at one time.
-- both: revisions_numbered_backwards, audits_recorded_at_load
