-- score_nan: One score in fifty is not a number.
update audit_scores set score = 'nan'::double where one_in(50, audit_id);

-- score_off_the_scale: One score in twenty is ten on a scale to five.
update audit_scores set score = 10 where one_in(20, audit_id);

-- low_scores_missing: Scores below the highest are blank.
update audit_scores set score = null where score < scale_max;

-- low_scores_not_applicable: Scores below the highest are marked as not applicable.
update audit_scores set is_not_applicable = true where score < scale_max;

-- low_scores_lost: Half of the scorecards with a low score never arrived.
-- undetectable: not every audit has a scorecard; a control total would tell.
delete from audit_scores where one_in(2, audit_id)
and audit_id in (from audit_scores select audit_id where score < 3);

-- scores_in_percent: Half of the scores are of 0 to 100, on a scale that says 1 to 5.
update audit_scores set score = (score - 1) * 25 where one_in(2, audit_id);

-- scales_upside_down: The scale's ends were swapped.
update audit_scores set scale_min = scale_max, scale_max = scale_min;

-- scores_upside_down: One is best on half of the scorecards.
-- undetectable: a reviewer who gives other scores is a reviewer; only the scores tell.
update audit_scores set score = scale_max + scale_min - score where one_in(2, audit_id);

-- weight_nan: One weight in fifty is not a number.
update audit_scores set weight = 'nan'::double where one_in(50, audit_id);

-- weight_missing: No score has a weight.
update audit_scores set weight = null;

-- category_misspelt: Half of the scorecards spell a category otherwise.
update audit_scores set category_id = 'Policy selection'
where category_id = 'policy_selection' and one_in(2, audit_id);

-- critical_category_unknown: Whether a category is critical is blank.
update audit_scores set is_critical = null;

-- scores_of_unknown_audits: Scores name audits that are not there.
update audit_scores set audit_id = 'x' || audit_id where one_in(10, audit_id);
