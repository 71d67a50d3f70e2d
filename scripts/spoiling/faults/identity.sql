-- decisions_of_two_systems: A second system's decisions have the ids of one in five of the first.
insert into decisions
from decisions select * replace (
    'second_platform' as source_system,
    job_id || '-b' as job_id,
    item_id || '-b' as item_id,
    case action_code when 'no_action' then 'remove' else 'no_action' end as action_code,
    case action_code when 'no_action' then 'hate.slurs' end as primary_policy_id,
    recorded_at + interval 1 hour as recorded_at
)
where one_in(5, decision_id);

-- audits_of_two_systems: A second tool's audits have the ids of one in five of the first.
insert into audits
from audits select * replace (
    'second_tool' as source_system,
    decided_action_code as truth_action_code,
    decided_policy_id as truth_policy_id,
    recorded_at + interval 1 hour as recorded_at
)
where one_in(5, audit_id);

-- decision_ids_as_doubles: Ids of decisions went through a spreadsheet, and are doubles.
alter table decisions alter decision_id type double using 1e17 + substr(decision_id, 3)::double;
alter table audits alter decision_id type double using 1e17 + substr(decision_id, 3)::double;

-- job_ids_in_scientific_notation: Ids of jobs went through a spreadsheet, as 1.23E+12.
update review_jobs set job_id = printf('%.5e', 1e12 + substr(job_id, 3)::double);
update decisions set job_id = printf('%.5e', 1e12 + substr(job_id, 3)::double);

-- person_ids_as_floats: Ids of moderators are numbers with .0 in one table only.
update decisions set moderator_id = substr(moderator_id, 5)::int || '.0' where moderator_id <> '';
update roster set person_id = substr(person_id, 5)::int::varchar where role = 'moderator';

-- decision_ids_in_another_case: Half of the audits name their decision in capitals.
update audits set decision_id = upper(decision_id) where one_in(2, audit_id);

-- decision_ids_with_a_space: Half of the audits name their decision with a space behind it.
update audits set decision_id = decision_id || ' ' where one_in(2, audit_id);

-- decision_ids_cut_short: Ids of decisions lost their last character.
update decisions set decision_id = left(decision_id, -1);
update audits set decision_id = left(decision_id, -1);

-- moderator_ids_with_invisible_characters: Half of the decisions name a zero-width space with people.
update decisions set moderator_id = moderator_id || chr(8203) where one_in(2, decision_id);

-- moderator_ids_in_another_case: From one day on, moderators' ids are in capitals.
update decisions set moderator_id = upper(moderator_id) where decided_at > '2026-03-16';

-- auditor_ids_in_another_case: Half of the audits have the auditor's id in capitals.
update audits set auditor_id = upper(auditor_id) where one_in(2, audit_id);

-- rater_ids_with_a_space: Half of the calibration ratings have the rater's id with a space.
update calibration_ratings set rater_id = rater_id || ' ' where one_in(2, item_id);

-- moderator_ids_na: One in ten decisions was made by "N/A".
update decisions set moderator_id = 'N/A' where decided_by_type = 'human' and one_in(10, decision_id);

-- moderator_ids_null_as_text: One in ten decisions was made by "null" or "None".
update decisions set moderator_id = case when one_in(20, decision_id) then 'null' else 'None' end
where decided_by_type = 'human' and one_in(10, decision_id);

-- moderators_shared_account: All people of one site work under one account.
-- undetectable: people's work under one id looks like that of one busy person.
update decisions set moderator_id = 'mod-0001'
where moderator_id in (from roster select person_id where site = 'manila');

-- audit_ids_reused: The audit tool began its ids again, and half of them are taken.
update audits set audit_id = 'a-' || lpad((hash(audit_id) % 800)::varchar, 12, '0');

-- job_ids_without_zeros: Decisions name their job without its leading zeros.
update decisions set job_id = 'j-' || substr(job_id, 3)::bigint;

-- job_ids_missing: One in thirty decisions names no job.
update decisions set job_id = null where one_in(30, decision_id);

-- plan_misspelt: Half of the audits name their plan "Risk weekly".
update audits set plan_id = 'Risk weekly' where plan_id is not null and one_in(2, audit_id);

-- auditor_and_decision_swapped: Two columns of audits were swapped.
update audits set auditor_id = decision_id, decision_id = auditor_id;
