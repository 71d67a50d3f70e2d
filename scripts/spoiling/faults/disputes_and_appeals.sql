-- disputes_lost: Half of the disputes never arrived.
-- undetectable: an audit that nobody disputes is the rule; a control total of disputes would tell.
delete from disputes where one_in(2, audit_id);

-- overturned_disputes_lost: Disputes that were overturned never arrived.
-- undetectable: a week without an overturned dispute is the rule; a control total would tell.
delete from disputes where outcome = 'overturned';

-- dispute_outcome_unknown: Overturned disputes are "accepted".
update disputes set outcome = 'accepted' where outcome = 'overturned';

-- disputes_doubled: Every dispute is there again under another id.
insert into disputes from disputes select * replace (dispute_id || '-2' as dispute_id);

-- disputes_of_unknown_audits: Disputes name audits that are not there.
update disputes set audit_id = 'x' || audit_id;

-- final_action_missing: Overturned disputes do not say what is right.
update disputes set final_action_code = null, final_policy_id = null;

-- final_policy_misspelt: The final policies of disputes are in capitals.
update disputes set final_policy_id = upper(final_policy_id);

-- appeals_lost: Appeals that were granted never arrived.
-- undetectable: no other source says how appeals ended.
delete from appeals where outcome = 'granted';

-- appeal_outcome_misspelt: Outcomes of appeals are capitalised.
update appeals set outcome = upper(outcome);

-- control_totals_differ: The platform's own counts are a tenth higher.
update control_totals set value = value * 1.1;
