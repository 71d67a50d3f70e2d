-- golden_key_wrong: One golden item in five has a wrong key.
update golden_results set
    true_action_code = case true_action_code when 'no_action' then 'remove' else 'no_action' end,
    true_policy_id = case true_action_code when 'no_action' then 'hate.slurs' end
where one_in(5, golden_id);

-- golden_policy_spelt_two_ways: Policies of half of the golden keys are in capitals.
update golden_results set true_policy_id = upper(true_policy_id) where one_in(2, golden_id);

-- golden_failures_blank: Wrong answers to golden items are blank.
update golden_results set answer_action_code = null, answer_policy_id = null
where answer_action_code <> true_action_code;

-- golden_answers_copied: Answers to golden items are copies of the key.
-- undetectable: how many pass is what golden items are to tell, and some still fail by the policy.
update golden_results set answer_action_code = true_action_code, answer_policy_id = true_policy_id;

-- golden_failures_lost: Wrong answers to golden items never arrived.
-- undetectable: how many pass is what golden items are to tell; a control total would tell.
delete from golden_results where answer_action_code <> true_action_code;

-- golden_answers_doubled: Every answer was delivered again a minute later.
insert into golden_results
from golden_results select * replace (
    served_at + interval 1 minute as served_at, recorded_at + interval 1 minute as recorded_at
);

-- golden_two_keys_of_one_version: Half of the answers to an item were held against another key.
update golden_results set true_action_code = 'ban', true_policy_id = 'fraud.scam'
where one_in(2, golden_id || moderator_id);

-- ratings_doubled: Every rater rated each item again under another id.
insert into calibration_ratings
from calibration_ratings select * replace (rater_id || '-2' as rater_id);

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

-- sessions_merged: All calibration sessions have one id, and items are numbered in each.
-- undetectable: nothing else says which sessions there were.
update calibration_ratings set session_id = 'cal', item_id = right(item_id, 2);
