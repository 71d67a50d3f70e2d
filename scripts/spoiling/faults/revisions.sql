-- revisions_numbered_backwards: Of revised audits the first has the higher number.
update audits set revision_no = 3 - revision_no
where audit_id in (from audits select audit_id where revision_no = 2);

-- revisions_with_times_backwards: Of revised audits the second was recorded before the first.
update audits set recorded_at = recorded_at - interval 30 day, audited_at = audited_at - interval 30 day
where revision_no = 2;

-- revisions_with_a_gap: Of revised audits the middle revision is lost.
update audits set revision_no = 3 where revision_no = 2;

-- first_revisions_lost: Of revised audits only the second is there.
delete from audits where revision_no = 1
and audit_id in (from audits select audit_id where revision_no = 2);

-- last_revisions_lost: Of revised audits only the first is there.
-- undetectable: an audit without a second revision is the rule.
delete from audits where revision_no = 2;

-- revisions_all_first: All revisions of audits have the number one.
-- undetectable: a later row of the same revision is a correction, by the contract.
update audits set revision_no = 1;

-- revision_number_missing: One audit in ten has no revision number.
update audits set revision_no = null where one_in(10, audit_id);

-- drafts_after_final: A draft follows one in five final audits.
insert into audits
from audits select * replace (
    revision_no + 1 as revision_no,
    'draft' as audit_status,
    null as truth_action_code,
    null as truth_policy_id,
    recorded_at + interval 1 day as recorded_at
)
where
    audit_status = 'final'
    and one_in(5, audit_id)
    and (audit_id, revision_no) in (from audits select audit_id, max(revision_no) group by audit_id);

-- revisions_undo_errors: One in two audits that found an error was revised to agree.
insert into audits
from audits select * replace (
    revision_no + 1 as revision_no,
    decided_action_code as truth_action_code,
    decided_policy_id as truth_policy_id,
    recorded_at + interval 1 day as recorded_at
)
where
    audit_status = 'final'
    and truth_action_code <> decided_action_code
    and one_in(2, audit_id)
    and revision_no = 1;

-- two_versions_at_once: One in ten audits is there twice, at one time, with two truths.
insert into audits
from audits select * replace (
    case truth_action_code when 'no_action' then 'remove' else 'no_action' end as truth_action_code
)
where one_in(10, audit_id);
