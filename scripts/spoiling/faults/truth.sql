-- truth_blank_where_wrong: Auditors who disagreed left the truth blank.
update audits set truth_action_code = null, truth_policy_id = null
where truth_action_code <> decided_action_code;

-- truth_blank_in_half_of_errors: Half of the auditors who disagreed left the truth blank.
update audits set truth_action_code = null, truth_policy_id = null
where truth_action_code <> decided_action_code and one_in(2, audit_id);

-- truth_blank_in_a_fifth: One audit in five has no truth.
update audits set truth_action_code = null, truth_policy_id = null where one_in(5, audit_id);

-- truth_copied: The export has the decision in the place of the truth.
update audits set truth_action_code = decided_action_code, truth_policy_id = decided_policy_id;

-- truth_copied_by_one_auditor: One auditor agrees with whatever was decided.
update audits set truth_action_code = decided_action_code, truth_policy_id = decided_policy_id
where auditor_id = 'aud-004';

-- truth_copied_in_one_stratum: In one stratum the truth is the decision.
-- undetectable: no other stratum has the same queue and kind of decisions, and easy work has few errors.
update audits set truth_action_code = decided_action_code, truth_policy_id = decided_policy_id
where stratum_id = 'human-q01-enforced';

-- truth_of_one_auditor_always_no_action: One auditor finds no violation in anything.
update audits set truth_action_code = 'no_action', truth_policy_id = null
where auditor_id = 'aud-004';

-- truth_never_in_use: Truths are actions that this platform never takes.
update audits set truth_action_code = 'disable' where truth_action_code = 'remove';

-- truth_codes_shifted: Truths are off by one in the list of codes.
update audits set truth_action_code = case truth_action_code
    when 'no_action' then 'label' when 'label' then 'age_restrict'
    when 'age_restrict' then 'demote' when 'demote' then 'restrict'
    when 'restrict' then 'remove' when 'remove' then 'warn' when 'warn' then 'suspend'
    when 'suspend' then 'ban' when 'ban' then 'no_action' else truth_action_code
end;

-- truth_misspelt: Half of the truths are capitalised.
update audits set truth_action_code = upper(truth_action_code) where one_in(2, audit_id);

-- truth_na: One truth in ten is "N/A".
update audits set truth_action_code = 'N/A' where one_in(10, audit_id);

-- truth_escalated: Auditors who were not sure gave "escalate" as the truth.
update audits set truth_action_code = 'escalate', truth_policy_id = null
where truth_action_code <> decided_action_code;

-- truth_of_the_row_above: One auditor's truths are those of the audit before.
update audits set truth_action_code = before.truth_action_code, truth_policy_id = before.truth_policy_id
from (
    from audits
    select
        audit_id,
        revision_no,
        lag(truth_action_code) over (order by audit_id, revision_no) as truth_action_code,
        lag(truth_policy_id) over (order by audit_id, revision_no) as truth_policy_id
    where auditor_id = 'aud-004'
) as before
where audits.audit_id = before.audit_id and audits.revision_no = before.revision_no;

-- truth_policy_spelt_two_ways: Half of the truths' policies are spelt otherwise.
update audits set truth_policy_id = upper(truth_policy_id) where one_in(2, audit_id);

-- truth_policy_missing: No truth names its policy.
update audits set truth_policy_id = null;

-- auditors_tell_one_lie: All auditors call one error in ten right.
-- undetectable: a judgement that every auditor shares leaves no trace; another auditor must look.
update audits set truth_action_code = decided_action_code, truth_policy_id = decided_policy_id
where truth_action_code <> decided_action_code and one_in(10, decision_id);

-- decided_copied_from_truth: The tool overwrote the frozen decision with the truth.
update audits set decided_action_code = truth_action_code, decided_policy_id = truth_policy_id;

-- decided_missing: No audit has the decision as the auditor saw it.
update audits set decided_action_code = null, decided_policy_id = null;

-- decided_is_another: One audit in ten saw another decision than the platform has.
update audits set decided_action_code = case decided_action_code when 'remove' then 'warn' else 'remove' end
where one_in(10, audit_id);

-- critical_missing: Nobody filled in whether an error is critical.
update audits set is_critical = null;

-- critical_missing_in_half: Half of the audits do not say whether an error is critical.
update audits set is_critical = null where one_in(2, audit_id);

-- critical_never: The export has no audit as critical.
-- undetectable: a week without a critical error is what a team hopes for.
update audits set is_critical = false;

-- technical_missing: Nobody filled in whether an error is technical.
update audits set is_technical_error = null;

-- technical_always: The export has every audit as a technical error.
update audits set is_technical_error = true;

-- severity_missing: Nobody filled in how severe an item is.
update audits set severity = null;

-- severity_numbers: Severities of audits are numbers.
update audits set severity = (hash(severity) % 5)::varchar;
