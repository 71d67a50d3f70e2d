-- disputes_lost: Half of the disputes never arrived.
-- undetectable: an audit that nobody disputes is the rule; a control total of disputes would tell.
delete from disputes where one_in(2, audit_id);

-- overturned_disputes_lost: Disputes that were overturned never arrived.
-- undetectable: a week without an overturned dispute is the rule; a control total would tell.
delete from disputes where outcome = 'overturned';

-- dispute_outcome_misspelt: Outcomes of disputes are capitalised.
update disputes set outcome = upper(outcome);

-- dispute_outcome_unknown: Overturned disputes are "accepted".
update disputes set outcome = 'accepted' where outcome = 'overturned';

-- dispute_outcome_missing: Resolved disputes have no outcome.
update disputes set outcome = null where outcome in ('upheld', 'overturned');

-- dispute_outcomes_swapped: "upheld" and "overturned" are the wrong way round.
update disputes set outcome = case outcome when 'upheld' then 'overturned' else 'upheld' end
where outcome in ('upheld', 'overturned');

-- disputes_doubled: Every dispute is there again under another id.
insert into disputes from disputes select * replace (dispute_id || '-2' as dispute_id);

-- disputes_of_unknown_audits: Disputes name audits that are not there.
update disputes set audit_id = 'x' || audit_id;

-- disputes_of_other_audits: Disputes name the audit after theirs.
update disputes set audit_id = 'a-' || lpad((substr(audit_id, 3)::bigint + 1)::varchar, 12, '0');

-- dispute_ids_with_a_space: Disputes name their audits with a space.
update disputes set audit_id = audit_id || ' ';

-- final_action_missing: Overturned disputes do not say what is right.
update disputes set final_action_code = null, final_policy_id = null;

-- final_action_misspelt: The final actions of disputes are capitalised.
update disputes set final_action_code = upper(final_action_code);

-- final_policy_misspelt: The final policies of disputes are in capitals.
update disputes set final_policy_id = upper(final_policy_id);

-- disputes_all_pending: No dispute is ever resolved.
update disputes set outcome = 'pending', resolved_at = null;

-- appeals_lost: Appeals that were granted never arrived.
-- undetectable: no other source says how appeals ended.
delete from appeals where outcome = 'granted';

-- appeals_doubled: Every appeal is there again under another id.
insert into appeals from appeals select * replace (appeal_id || '-2' as appeal_id);

-- appeals_of_unknown_decisions: Appeals name decisions that are not there.
update appeals set decision_id = 'x' || decision_id;

-- appeal_outcome_misspelt: Outcomes of appeals are capitalised.
update appeals set outcome = upper(outcome);

-- appeal_outcome_is_of_disputes: Appeals are "upheld" and "overturned".
update appeals set outcome = case outcome when 'granted' then 'overturned' else 'upheld' end
where outcome in ('granted', 'denied');

-- statements_lost: Half of the statements of reasons were never submitted.
delete from statements_of_reasons where one_in(2, statement_id);

-- control_totals_differ: The platform's own counts are a tenth higher.
update control_totals set value = value * 1.1;
