-- errors_lost: Half of the audits that found an error never arrived.
delete from audits where truth_action_code <> decided_action_code and one_in(2, decision_id);
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- agreements_lost: Half of the audits that found no error never arrived.
delete from audits where truth_action_code = decided_action_code and one_in(2, decision_id);
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- errors_stay_drafts: Audits that found an error stay drafts until somebody has looked again.
update audits set audit_status = 'draft'
where truth_action_code <> decided_action_code and one_in(2, decision_id);

-- errors_arrive_late: Audits that found an error come two weeks later, so the last are not in yet.
delete from audits where truth_action_code <> decided_action_code and audited_at > '2026-03-20';
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- week_of_audits_lost: A week of audits never arrived.
delete from audits where audited_at between '2026-03-16' and '2026-03-23';
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- stratum_of_audits_lost: The audits of one stratum never arrived.
delete from audits where stratum_id = 'human-q01-enforced';
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- moderator_not_audited: The audits of one team's moderators never arrived.
delete from audits where decision_id in (
    from decisions select decision_id
    where moderator_id in (from roster select person_id where team_id = 'team-03')
);
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- hard_items_not_audited: Auditors passed over two in three items that are not in English.
delete from audits where not one_in(3, decision_id) and decision_id in (
    from decisions join review_jobs using (job_id) select decision_id where language <> 'en'
);
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- audits_doubled: One in five audits is there again under another id.
insert into audits
from audits select * replace (audit_id || '-2' as audit_id) where one_in(5, audit_id);

-- targeted_declared_random: Targeted and escalated audits are declared as draws of the plan.
update audits set
    sampling_method = 'stratified_random',
    plan_id = frame.plan_id,
    stratum_id = frame.stratum_id,
    inclusion_probability = frame.planned_sample_size / frame.population_size
from decisions join review_jobs using (job_id) join sampling_frame as frame
    on
        decided_at >= period_start
        and decided_at < period_end
        and decisions.decided_by_type = frame.decided_by_type
        and (frame.queue_id is null or frame.queue_id = review_jobs.queue_id)
        and (frame.action_group = 'enforced') = (action_code <> 'no_action')
where
    decisions.decision_id = audits.decision_id
    and audits.sampling_method in ('targeted', 'escalation', 'appeal');

-- errors_added_to_the_plan: Two hundred decisions that were known to be wrong are declared as draws.
insert into audits
from decisions join review_jobs using (job_id) join sampling_frame as frame
    on
        decided_at >= period_start
        and decided_at < period_end
        and decisions.decided_by_type = frame.decided_by_type
        and (frame.queue_id is null or frame.queue_id = review_jobs.queue_id)
        and frame.action_group = 'not_enforced'
select
    'extra-' || decision_id, 1, decision_id, 'aud-005', 'auditor', 'stratified_random',
    plan_id, stratum_id, planned_sample_size / population_size, true, action_code,
    primary_policy_id, 'remove', 'hate.slurs', 'high', true, false, 'final',
    decided_at + interval 8 day, 'audit_tool', decided_at + interval 8 day + interval 1 hour
where
    action_code = 'no_action'
    and decided_at < '2026-03-23'
    and decision_id not in (from audits select audits.decision_id where audits.decision_id is not null)
order by hash(decision_id)
limit 200;

-- random_declared_targeted: Half of the plan's draws are declared targeted.
update audits set
    sampling_method = 'targeted', plan_id = null, stratum_id = null, inclusion_probability = null
where sampling_method = 'stratified_random' and one_in(2, decision_id);

-- errors_declared_targeted: Draws that found an error are declared targeted afterwards.
update audits set
    sampling_method = 'targeted', plan_id = null, stratum_id = null, inclusion_probability = null
where
    sampling_method = 'stratified_random'
    and truth_action_code <> decided_action_code
    and one_in(2, decision_id);

-- benchmarks_declared_random: Experts' second looks are declared as draws of the plan.
update audits set
    sampling_method = 'stratified_random', plan_id = first.plan_id, stratum_id = first.stratum_id
from audits as first
where
    audits.sampling_method = 'benchmark'
    and first.decision_id = audits.decision_id
    and first.sampling_method = 'stratified_random';

-- benchmarks_copied: Experts copied the auditor's truth.
-- undetectable: auditors are right nearly always, so that an expert who agrees with all of them is no surprise.
update audits set truth_action_code = first.truth_action_code, truth_policy_id = first.truth_policy_id
from audits as first
where
    audits.sampling_method = 'benchmark'
    and first.decision_id = audits.decision_id
    and first.sampling_method = 'stratified_random';

-- method_misspelt: One audit in ten was drawn by "Stratified random".
update audits set sampling_method = 'Stratified random'
where sampling_method = 'stratified_random' and one_in(10, audit_id);

-- status_misspelt: One audit in ten is "Final".
update audits set audit_status = 'Final' where audit_status = 'final' and one_in(10, audit_id);

-- drafts_declared_final: Drafts are exported as final, with the decision as their truth.
-- undetectable: one audit in a hundred that finds no error is like any other.
update audits set
    audit_status = 'final',
    truth_action_code = decided_action_code,
    truth_policy_id = decided_policy_id
where audit_status = 'draft';

-- audits_of_other_decisions: Audits were joined to the decision before theirs.
update audits set decision_id = before.decision_id
from (from audits select audit_id, revision_no, lag(decision_id) over (order by audit_id) as decision_id)
    as before
where audits.audit_id = before.audit_id and audits.revision_no = before.revision_no
and before.decision_id is not null;
