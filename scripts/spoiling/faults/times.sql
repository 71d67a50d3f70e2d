-- times_text_with_offset: Decisions' times are text with an offset of nine hours.
alter table decisions alter decided_at type varchar
using strftime(decided_at + interval 9 hour, '%Y-%m-%d %H:%M:%S') || '+09:00';

-- times_text_with_am_pm: Decisions' times are text with AM and PM.
alter table decisions alter decided_at type varchar
using strftime(decided_at, '%Y-%m-%d %I:%M:%S %p');

-- times_text_with_zone_name: Audits' times are text with the name of a time zone.
alter table audits alter audited_at type varchar
using strftime(audited_at, '%Y-%m-%d %H:%M:%S') || ' Europe/Paris';

-- times_text_day_first: Decisions' times are text with the day before the month.
alter table decisions alter decided_at type varchar
using strftime(decided_at, '%d/%m/%Y %H:%M:%S');

-- times_text_with_z: Decisions' times are text that ends in Z; nothing is wrong with them.
alter table decisions alter decided_at type varchar
using strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ');

-- times_text_recorded_with_offset: All times of recording of audits are text with an offset.
alter table audits alter recorded_at type varchar
using strftime(recorded_at - interval 8 hour, '%Y-%m-%d %H:%M:%S') || '-08:00';

-- times_epoch_milliseconds: Decisions' times are milliseconds since 1970.
alter table decisions alter decided_at type bigint using epoch_ms(decided_at);

-- decided_at_in_local_time: Decisions' times are local ones, nine hours ahead, sent as UTC.
update decisions set decided_at = decided_at + interval 9 hour;

-- decisions_wholly_in_local_time: All times of decisions, of recording too, are nine hours ahead.
update decisions set
    decided_at = decided_at + interval 9 hour,
    started_at = started_at + interval 9 hour,
    recorded_at = recorded_at + interval 9 hour;

-- audits_in_local_time: All times of audits are nine hours ahead, sent as UTC.
-- undetectable: an audit nine hours later is as likely as one before.
update audits set
    audited_at = audited_at + interval 9 hour, recorded_at = recorded_at + interval 9 hour;

-- all_clocks_moved: The clocks of all systems were six hours ahead, together.
-- undetectable: every time agrees with every other, and no source has another clock.
update decisions set
    decided_at = decided_at + interval 6 hour,
    started_at = started_at + interval 6 hour,
    recorded_at = recorded_at + interval 6 hour;
update review_jobs set
    item_created_at = item_created_at + interval 6 hour,
    enqueued_at = enqueued_at + interval 6 hour,
    recorded_at = recorded_at + interval 6 hour;
update decision_policies set recorded_at = recorded_at + interval 6 hour;
update audits set
    audited_at = audited_at + interval 6 hour, recorded_at = recorded_at + interval 6 hour;
update audit_scores set recorded_at = recorded_at + interval 6 hour;
update disputes set
    filed_at = filed_at + interval 6 hour,
    resolved_at = resolved_at + interval 6 hour,
    recorded_at = recorded_at + interval 6 hour;
update sampling_frame set
    period_start = period_start + interval 6 hour,
    period_end = period_end + interval 6 hour,
    framed_at = framed_at + interval 6 hour,
    recorded_at = recorded_at + interval 6 hour;
update golden_results set
    served_at = served_at + interval 6 hour, recorded_at = recorded_at + interval 6 hour;
update calibration_ratings set
    rated_at = rated_at + interval 6 hour, recorded_at = recorded_at + interval 6 hour;
update appeals set
    filed_at = filed_at + interval 6 hour,
    decided_at = decided_at + interval 6 hour,
    recorded_at = recorded_at + interval 6 hour;

-- start_and_end_swapped: A decision's start and end were swapped.
update decisions set decided_at = started_at, started_at = decided_at where started_at is not null;

-- day_and_month_swapped: Where the day is twelve or less, day and month of decisions were swapped.
update decisions set decided_at = make_timestamp(
    2026, day(decided_at), month(decided_at), hour(decided_at), minute(decided_at), 0.0
)
where day(decided_at) <= 12;

-- decided_at_without_the_hour: Decisions have a date and no time of day.
update decisions set decided_at = date_trunc('day', decided_at);

-- decided_at_missing: One in fifty decisions has no time.
update decisions set decided_at = null where one_in(50, decision_id);

-- decided_at_in_another_century: One in fifty decisions is of the year 2126.
update decisions set decided_at = decided_at + interval 100 year where one_in(50, decision_id);

-- decisions_recorded_at_missing: One in twenty decisions does not say when it was recorded.
update decisions set recorded_at = null where one_in(20, decision_id);

-- audits_recorded_in_the_future: One in twenty audits was recorded in the year 2126.
update audits set recorded_at = recorded_at + interval 100 year where one_in(20, audit_id);

-- audits_recorded_at_load: Audits, revised ones too, all have the time of the load as recorded_at.
update audits set recorded_at = (from audits select max(recorded_at));

-- audited_at_missing: No audit says when it was made.
update audits set audited_at = null;

-- audited_before_decided: One in four audits is dated a month before its decision.
update audits set audited_at = audited_at - interval 40 day where one_in(4, audit_id);

-- enqueued_after_decided: Jobs carry the time of their last change, after the decision.
update review_jobs set enqueued_at = enqueued_at + interval 2 day;

-- disputes_filed_before_the_audit: Disputes are dated before the audits that they are about.
update disputes set filed_at = filed_at - interval 60 day;

-- golden_served_at_missing: One in five golden results has no time.
update golden_results set served_at = null where one_in(5, golden_id || moderator_id);

-- frame_in_local_time: The frame's periods are local weeks, sent as UTC.
update sampling_frame set
    period_start = period_start - interval 9 hour, period_end = period_end - interval 9 hour;

-- frame_ends_on_its_last_day: The frame's periods end at the beginning of their last day.
update sampling_frame set period_end = period_end - interval 1 day;

-- policy_version_begins_too_late: The new version of a policy is dated two weeks late.
-- undetectable: nothing else says when a version came into force.
update policies set valid_from = valid_from + interval 14 day where policy_version = '2';
update policies set valid_to = valid_to + interval 14 day where valid_to is not null;
