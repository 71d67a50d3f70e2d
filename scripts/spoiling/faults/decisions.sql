-- decisions_delivered_twice: One in ten decisions was delivered twice; nothing is wrong with it.
insert into decisions from decisions where one_in(10, decision_id);

-- day_of_decisions_lost: A day of decisions never arrived.
delete from decisions where decided_at between '2026-03-11' and '2026-03-12';

-- no_action_decisions_lost: One in ten decisions to do nothing was never logged.
delete from decisions where action_code = 'no_action' and one_in(10, decision_id);

-- unaudited_decisions_lost: One in ten decisions without an audit was never logged.
delete from decisions where one_in(10, decision_id)
and decision_id not in (from audits select decision_id);

-- correction_with_another_job: One in ten decisions was corrected, with another job.
insert into decisions
from (
    from decisions select * replace (
        lag(job_id, 50) over (order by decision_id) as job_id,
        recorded_at + interval 1 hour as recorded_at
    )
)
where one_in(10, decision_id) and job_id is not null;

-- correction_with_another_item: One in ten decisions was corrected, with another item.
insert into decisions
from decisions select * replace (
    item_id || '-other' as item_id, recorded_at + interval 1 hour as recorded_at
)
where one_in(10, decision_id);

-- decisions_overwritten_by_audits: Decisions that an audit found wrong were corrected in place.
update decisions set
    action_code = audits.truth_action_code, primary_policy_id = audits.truth_policy_id
from audits
where
    audits.decision_id = decisions.decision_id
    and audits.audit_status = 'final'
    and audits.truth_action_code <> audits.decided_action_code;

-- decisions_corrected_after_audits: Decisions found wrong were corrected with the auditor's truth.
insert into decisions
from (
    from decisions join (
        from audits
        select
            decision_id,
            arg_max(truth_action_code, recorded_at) as truth_action_code,
            arg_max(truth_policy_id, recorded_at) as truth_policy_id,
            max(recorded_at) as corrected_at
        where audit_status = 'final' and truth_action_code <> decided_action_code
        group by decision_id
    ) as audits using (decision_id)
    select decisions.* replace (
        audits.truth_action_code as action_code,
        audits.truth_policy_id as primary_policy_id,
        audits.corrected_at as recorded_at
    )
);

-- action_unknown: One in twenty decisions has an action that no list knows.
update decisions set action_code = 'blurred' where one_in(20, decision_id);

-- action_unknown_once: A single decision has an action that no list knows.
update decisions set action_code = 'blurred'
where decision_id = (from decisions select min(decision_id));

-- action_misspelt: Removals are called "removed" in one week.
update decisions set action_code = 'removed'
where action_code = 'remove' and decided_at between '2026-03-09' and '2026-03-16';

-- action_in_capitals: All actions of decisions are in capitals.
update decisions set action_code = upper(action_code);

-- actions_recoded: The export has "label" and "no_action" the wrong way round.
update decisions set action_code = case action_code when 'label' then 'no_action' else 'label' end
where action_code in ('label', 'no_action');

-- actions_recoded_in_a_migration: From one day on, decisions to remove are exported as "restrict".
update decisions set action_code = 'restrict'
where action_code = 'remove' and decided_at > '2026-03-16';

-- escalations_as_no_action: Escalated and skipped jobs are exported as "no_action".
update decisions set action_code = 'no_action' where action_code in ('escalate', 'skip');

-- bulk_closes_as_no_action: Jobs that the system closed are exported as people's "no_action".
update decisions set action_code = 'no_action', decided_by_type = 'human', moderator_id = 'mod-0001'
where action_code = 'auto_close';

-- decider_misspelt: One in ten decisions was made by a "Human".
update decisions set decided_by_type = 'Human'
where decided_by_type = 'human' and one_in(10, decision_id);

-- automation_as_human: The model's decisions are exported as human ones, with nobody's name.
update decisions set decided_by_type = 'human' where decided_by_type = 'automation';

-- human_as_automation: One in ten human decisions is exported as the model's.
update decisions set decided_by_type = 'automation', moderator_id = null
where decided_by_type = 'human' and one_in(10, decision_id);

-- reversals_without_a_decision: Reversals do not say which decision they reverse.
update decisions set supersedes_decision_id = null;

-- reversals_of_other_decisions: Reversals name a decision that does not exist.
update decisions set supersedes_decision_id = 'x' || supersedes_decision_id;

-- policy_spelt_two_ways: After a migration, half of a policy's decisions are spelt otherwise.
update decisions set primary_policy_id = replace(primary_policy_id, 'hate.', 'Hate.')
where one_in(2, decision_id);

-- policy_unknown: One in twenty decisions under a policy names one that no list knows.
update decisions set primary_policy_id = 'misc'
where primary_policy_id is not null and one_in(20, decision_id);

-- policies_missing: No decision names its policy.
update decisions set primary_policy_id = null;

-- two_primary_policies: One in ten decisions has two primary policies.
insert into decision_policies
from decision_policies select * replace ('fraud.spam' as policy_id)
where policy_id <> 'fraud.spam' and one_in(10, decision_id);

-- jobs_lost: One in thirty jobs never arrived.
delete from review_jobs where one_in(30, job_id);

-- queues_misspelt: One in ten jobs names its queue in capitals.
update review_jobs set queue_id = upper(queue_id) where one_in(10, job_id);

-- queues_renamed: A queue got a new id on one day, and the list of queues did not.
update review_jobs set queue_id = 'q02-new' where queue_id = 'q02' and enqueued_at > '2026-03-16';

-- policy_tree_has_a_circle: A policy is its own grandparent.
update policies set parent_policy_id = 'hate.slurs' where policy_id = 'hate';
