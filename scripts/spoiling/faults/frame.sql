-- frame_too_small: Populations are a tenth too small.
update sampling_frame set population_size = population_size * 0.9;

-- frame_too_large: Populations are twice what they are.
update sampling_frame set population_size = population_size * 2;

-- frame_groups_swapped: The populations of enforced and not enforced decisions were swapped.
update sampling_frame set population_size = other.population_size
from sampling_frame as other
where
    other.period_start = sampling_frame.period_start
    and other.decided_by_type = sampling_frame.decided_by_type
    and other.queue_id is not distinct from sampling_frame.queue_id
    and other.action_group <> sampling_frame.action_group;

-- frame_queues_swapped: The populations of two queues were swapped.
update sampling_frame set population_size = other.population_size
from sampling_frame as other
where
    other.period_start = sampling_frame.period_start
    and sampling_frame.queue_id in ('q01', 'q03')
    and other.queue_id in ('q01', 'q03')
    and other.queue_id <> sampling_frame.queue_id
    and other.action_group = sampling_frame.action_group;

-- week_missing_in_the_frame: A week is not in the frame, though its audits are there.
delete from sampling_frame where period_start = '2026-03-09';

-- stratum_missing_in_the_frame: A stratum is not in the frame, though its audits are there.
delete from sampling_frame where stratum_id = 'human-q01-not_enforced';

-- stratum_and_its_audits_missing: A stratum is neither in the frame nor audited.
delete from sampling_frame where stratum_id = 'human-q01-enforced';
delete from audits where stratum_id = 'human-q01-enforced';
delete from audit_scores where audit_id not in (from audits select audit_id);
delete from disputes where audit_id not in (from audits select audit_id);

-- frame_empty: The frame arrived without rows.
delete from sampling_frame;

-- strata_overlap: One stratum is of all queues, beside those of each.
update sampling_frame set queue_id = null where stratum_id = 'human-q03-enforced';

-- frame_doubled: A queue's strata are there again under other ids.
insert into sampling_frame
from sampling_frame select * replace (stratum_id || '-2' as stratum_id) where queue_id = 'q03';

-- population_is_the_sample: The frame has the size of the sample as the population.
update sampling_frame set population_size = planned_sample_size;

-- population_missing: One stratum in three has no population.
update sampling_frame set population_size = null where one_in(3, stratum_id);

-- frame_corrected_too_low: The frame was corrected later, to half.
insert into sampling_frame
from sampling_frame select * replace (
    population_size // 2 as population_size, recorded_at + interval 2 day as recorded_at
);

-- frame_group_misspelt: The frame's action groups have a space in the place of the underscore.
update sampling_frame set action_group = replace(action_group, '_', ' ');

-- frame_copied_from_the_first_week: Every week has the populations of the first.
update sampling_frame set population_size = first.population_size
from sampling_frame as first
where first.period_start = '2026-03-02' and first.stratum_id = sampling_frame.stratum_id;

-- frame_made_before_the_end: Populations were counted three days before the period's end.
update sampling_frame set
    population_size = population_size * 4 / 7, framed_at = framed_at - interval 3 day;

-- frame_counts_rows_not_decisions: Populations count policies applied, not decisions.
update sampling_frame set population_size = population_size * 1.18 where action_group = 'enforced';

-- frame_periods_overlap: Each period of one stratum reaches into the next.
update sampling_frame set period_end = period_end + interval 1 day
where stratum_id = 'human-q03-enforced';

-- frame_method_is_another: The frame says that a simple draw was made.
update sampling_frame set sampling_method = 'simple_random';
