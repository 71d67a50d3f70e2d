-- audits_of_oneself: One audit in ten was made by whoever decided.
update audits set auditor_id = decisions.moderator_id
from decisions
where
    decisions.decision_id = audits.decision_id
    and decisions.moderator_id is not null
    and one_in(10, audits.audit_id);

-- benchmarks_of_oneself: Benchmarks were made by the auditor whom they benchmark.
update audits set auditor_id = first.auditor_id
from audits as first
where
    audits.sampling_method = 'benchmark'
    and first.decision_id = audits.decision_id
    and first.sampling_method = 'stratified_random';

-- roster_has_holes: One moderator in four is not on the roster.
delete from roster where role = 'moderator' and one_in(4, person_id);

-- roster_empty: The roster arrived without rows.
delete from roster;

-- roster_with_other_ids: The roster has people by another system's ids.
update roster set person_id = 'HR-' || person_id;

-- roster_overlaps: One person in three has two roster periods at one time, at two sites.
insert into roster
from roster select * replace ('dublin-2' as site, valid_from + interval 1 day as valid_from)
where one_in(3, person_id);

-- roster_sites_spelt_two_ways: Half of one site's people work at "Lisbon ".
update roster set site = 'Lisbon ' where site = 'lisbon' and one_in(2, person_id);

-- roster_vendors_swapped: Two vendors were swapped.
-- undetectable: nothing else says who works for whom.
update roster set vendor = case vendor when 'vendor_a' then 'vendor_b' else 'vendor_a' end
where vendor in ('vendor_a', 'vendor_b');

-- roster_roles_swapped: Moderators are on the roster as auditors, and auditors as moderators.
update roster set role = case role when 'moderator' then 'auditor' else 'moderator' end
where role in ('moderator', 'auditor');

-- auditors_not_on_the_roster: No auditor is on the roster.
delete from roster where role <> 'moderator';

-- auditor_missing: Nobody filled in who audited.
update audits set auditor_id = null;

-- auditor_tier_is_expert: The export has every auditor as an expert.
update audits set auditor_tier = 'expert';

-- moderators_missing_in_a_week: In one week human decisions name nobody.
update decisions set moderator_id = null where decided_at between '2026-03-09' and '2026-03-16';

-- moderators_are_auditors: One decision in ten was made by an auditor's account.
update decisions set moderator_id = 'aud-004'
where decided_by_type = 'human' and one_in(10, decision_id);
