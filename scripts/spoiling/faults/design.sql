-- probabilities_unequal: Decisions that were right had half the chance, and the tool says so.
delete from audits where truth_action_code = decided_action_code and one_in(2, decision_id);
update audits set inclusion_probability = inclusion_probability / 2
where truth_action_code = decided_action_code;
update sampling_frame set planned_sample_size = planned_sample_size * 0.55;
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- probabilities_unequal_by_language: Items not in English had a third of the chance.
delete from audits where not one_in(3, decision_id) and decision_id in (
    from decisions join review_jobs using (job_id) select decision_id where language <> 'en'
);
update audits set inclusion_probability = inclusion_probability / 3 where decision_id in (
    from decisions join review_jobs using (job_id) select decision_id where language <> 'en'
);
update sampling_frame set planned_sample_size = planned_sample_size * 0.68;
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- probabilities_contradict_the_frame: All chances are a tenth of what plan and frame say.
update audits set inclusion_probability = inclusion_probability / 10;

-- probabilities_nan: One chance in ten is not a number.
update audits set inclusion_probability = 'nan'::double
where inclusion_probability is not null and one_in(10, audit_id);

-- probabilities_missing: No audit says what chance it had.
update audits set inclusion_probability = null;

-- stratum_missing: One draw in five has no stratum.
update audits set stratum_id = null where one_in(5, audit_id);

-- stratum_is_another: One draw in five has the stratum of the other action group.
update audits set stratum_id = case
    when stratum_id like '%not_enforced' then replace(stratum_id, 'not_enforced', 'enforced')
    else replace(stratum_id, 'enforced', 'not_enforced')
end
where one_in(5, audit_id);

-- stratum_of_another_queue: All audits of one queue have another queue's strata.
update audits set stratum_id = replace(stratum_id, 'q02', 'q01') where stratum_id like '%q02%';

-- plan_missing: One draw in five has no plan.
update audits set plan_id = null where one_in(5, audit_id);

-- planned_missing: The frame does not say how many audits were planned.
update sampling_frame set planned_sample_size = null;

-- planned_too_many: Twice as many audits were planned as were made.
update sampling_frame set planned_sample_size = planned_sample_size * 2;

-- blind_never: The export has no audit as blind.
-- undetectable: a team that audits with the decision in sight delivers the same.
update audits set is_blind = false;
