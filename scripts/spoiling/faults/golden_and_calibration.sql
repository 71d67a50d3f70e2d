-- golden_key_wrong: One golden item in five has a wrong key.
update golden_results set
    true_action_code = case true_action_code when 'no_action' then 'remove' else 'no_action' end,
    true_policy_id = case true_action_code when 'no_action' then 'hate.slurs' end
where one_in(5, golden_id);

-- golden_key_misspelt: Keys of golden items are capitalised.
update golden_results set true_action_code = upper(true_action_code);

-- golden_policy_spelt_two_ways: Policies of half of the golden keys are in capitals.
update golden_results set true_policy_id = upper(true_policy_id) where one_in(2, golden_id);

-- golden_answer_policy_misspelt: Policies of half of the golden answers are in capitals.
update golden_results set answer_policy_id = upper(answer_policy_id) where one_in(2, golden_id);

-- golden_key_missing: One golden item in five has no key.
update golden_results set true_action_code = null, true_policy_id = null where one_in(5, golden_id);

-- golden_failures_blank: Wrong answers to golden items are blank.
update golden_results set answer_action_code = null, answer_policy_id = null
where answer_action_code <> true_action_code;

-- golden_answers_copied: Answers to golden items are copies of the key.
update golden_results set answer_action_code = true_action_code, answer_policy_id = true_policy_id;

-- golden_failures_lost: Wrong answers to golden items never arrived.
delete from golden_results where answer_action_code <> true_action_code;

-- golden_answers_doubled: Every answer was delivered again a minute later.
insert into golden_results
from golden_results select * replace (
    served_at + interval 1 minute as served_at, recorded_at + interval 1 minute as recorded_at
);

-- golden_two_keys_of_one_version: Half of the answers to an item were held against another key.
update golden_results set true_action_code = 'ban', true_policy_id = 'fraud.scam'
where one_in(2, golden_id || moderator_id);

-- golden_answers_unknown: One answer in ten is an action that no list knows.
update golden_results set answer_action_code = 'blurred' where one_in(10, golden_id || moderator_id);

-- golden_people_unknown: Golden answers name people by another system's ids.
update golden_results set moderator_id = 'HR-' || moderator_id;

-- ratings_doubled: Every rater rated each item again under another id.
insert into calibration_ratings
from calibration_ratings select * replace (rater_id || '-2' as rater_id);

-- ratings_misspelt: Half of the ratings are capitalised.
update calibration_ratings set action_code = upper(action_code) where one_in(2, item_id || rater_id);

-- ratings_unknown: One rating in ten is an action that no list knows.
update calibration_ratings set action_code = 'blurred' where one_in(10, item_id || rater_id);

-- ratings_policy_spelt_two_ways: Policies of half of the ratings are in capitals.
update calibration_ratings set policy_id = upper(policy_id) where one_in(2, item_id || rater_id);

-- ratings_copied: All raters of an item have the expert's rating.
update calibration_ratings set
    action_code = expert.action_code, policy_id = expert.policy_id, severity = expert.severity
from calibration_ratings as expert
where
    expert.rater_role = 'expert'
    and expert.session_id = calibration_ratings.session_id
    and expert.item_id = calibration_ratings.item_id;

-- ratings_blank_where_they_differ: Ratings that differ from the expert's are blank.
update calibration_ratings set action_code = null, policy_id = null, severity = null
from calibration_ratings as expert
where
    expert.rater_role = 'expert'
    and expert.session_id = calibration_ratings.session_id
    and expert.item_id = calibration_ratings.item_id
    and expert.action_code <> calibration_ratings.action_code;

-- ratings_severity_misspelt: Severities of half of the ratings are capitalised.
update calibration_ratings set severity = upper(severity) where one_in(2, item_id || rater_id);

-- rater_role_misspelt: Roles of raters are capitalised.
update calibration_ratings set rater_role = upper(rater_role);

-- rater_roles_swapped: Experts are exported as moderators, and one moderator as the expert.
update calibration_ratings set rater_role = case
    when rater_role = 'expert' then 'moderator' when rater_id = 'mod-0010' then 'expert'
    else rater_role
end;

-- sessions_merged: All calibration sessions have one id, and items are numbered in each.
update calibration_ratings set session_id = 'cal', item_id = right(item_id, 2);

-- experts_ratings_lost: The expert's ratings never arrived.
delete from calibration_ratings where rater_role = 'expert';
