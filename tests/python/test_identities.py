"""Every test on the marts fails when what it guards is broken, and names what is broken.

A warehouse is built once. Each mutation corrupts one table of a copy inside a transaction and is
rolled back; in between the SQL that dbt compiled is run for every test that reads the table, itself
or through views, and exactly the tests that are named here must fail. The others read nothing that
changed. dbt itself runs the identities on another copy with several mutations.
"""

import json
import re
import shutil

import duckdb
import pytest
from projects import ROOT

IDENTITIES = ROOT / "tests" / "identities"
# A relation as dbt writes it.
RELATION = re.compile(r'(?:"?warehouse"?\.)?"?(\w+)"?\."?(\w+)"?')

RATES = "rates.accuracy_rates"
CELLS = "cells.accuracy_cells"
PEOPLE = "restricted.moderator_accuracy"
COMPARED = "explain.accuracy_compared"
MIX_CELLS = "explain.standardisation_cells"
PLAN = "planning.audit_plan"
OPTIONS = "planning.audit_plan_options"
COVERAGE = "planning.plan_coverage"
DECISIONS = "facts.fct_decisions"
AUDITS = "facts.fct_audits"
SCORES = "rates.quality_scores"
CORRECTED = "rates.accuracy_if_audits_err"
GAPS = "rates.calibration_gap"
GAP = "restricted.calibration_gap_by_person"
GOLDEN = "rates.golden_items"
OPERATIONS = "rates.audit_operations"
SHARE_CELLS = "restricted.quality_cells"
SHARES = "rates.quality_rates"
SHARES_OF_PEOPLE = "restricted.quality_rates_by_person"
COMPLETION = "rates.audit_completion"
AGREEMENT = "rates.rater_agreement"
POLICIES = "rates.policy_rates"
CONFUSION = "explain.policy_confusion"
PARETO = "explain.error_pareto"
CHANGE = "explain.accuracy_change"
GATE = "explain.change_gate"
OVERTURNED = "rates.overturned_decisions"
APPEALS = "facts.fct_appeals"
APPEAL_RATES = "appeals.appeal_rates"
APPEAL_WAITS = "appeals.appeal_turnaround"
POPULATION = "cells.accuracy_population"
EXCLUSIONS = "explain.exclusions"
PERIODS = "report.dim_periods"
HEADLINE = "report.headline"
CUBE = "report.accuracy_cube"
CUBE_CELLS = "cells.int_report__cube_cells"
WITHHELD_CELLS = "restricted.int_report__cube_withheld"
DUE = "report.audits_due"
CHECKS = "reconciliation.reconciliation_checks"
ENFORCEMENT = "transparency.enforcement_rates"
JOBS = "facts.fct_jobs"
TURNAROUND = "operations.turnaround"
BACKLOG = "operations.backlog"
WORKLOAD = "operations.workload"
EXPOSURE = "operations.exposure"
EXPOSED = "restricted.exposure_by_person"
SHEETS = "restricted.dsa_cells"
ALERTS = "monitoring.alerts"
DRIVERS = "monitoring.alert_drivers"
MONITORED = "monitoring.monitored_slices"
FEED_ALARMS = "monitoring.feed_alarms"
CHARTS = "monitoring.control_charts"

# Names of identities that several mutations break.
ALL_IN = "decisions_and_audits_are_all_in_the_rates"
WEIGHTS = "weights_sum_to_the_covered_strata"
REASONS = "excluded_counts_match_their_reasons"
CLASSES = "error_classes_sum_to_audits"
PARTS = "parts_of_a_dimension_sum_to_the_whole"
DAYS = "days_sum_to_weeks_and_months"
SUMS = "pareto_and_confusion_sum_to_the_whole"
MATCHED = "counted_audits_match_their_decision"
FRAMED = "plans_hold_every_framed_stratum"
CODES = "truths_are_actions_of_their_queue"
KNOWN_PERIODS = "periods_of_marts_are_known"
CHANGES = "parts_of_a_change_sum_to_what_was_published"
EVERY_DECISION = "plan_coverage_holds_every_decision"
IN_BACKLOG = "jobs_are_all_in_the_backlog"
WATCHED = "audits_are_all_watched"
IN_WAITS = "jobs_are_all_in_the_waits"


def one_row(table, condition):
    """A predicate that holds for one row of a table, always the same."""
    return f"rowid = (select min(rowid) from {table} where {condition})"


def update(table, change, condition):
    return f"update {table} set {change} where {one_row(table, condition)}"


def repeat(table, condition="true", change=""):
    """Insert one row again, with a change."""
    columns = f"* replace ({change})" if change else "*"
    return f"insert into {table} select {columns} from {table} where {one_row(table, condition)}"


def alert(**changes):
    """Insert an alarm; a world of six weeks has none of its own."""
    row = {
        "alert_id": "'queue|q01|worse|2026-04-09'",
        "incident_id": "'queue|q01|worse|2026-04-09'",
        "explained_by": "null",
        "direction": "'worse'",
        "suspected_kind": "'accuracy_drop'",
        "since": "date '2026-04-06'",
        "first_alarm_on": "date '2026-04-09'",
        "last_alarm_on": "date '2026-04-10'",
        "window_starts_on": "date '2026-04-06'",
        "window_ends_on": "date '2026-04-09'",
        "n_people": "9",
        "n_audits": "30",
        "n_errors": "14",
        "ratio": "4.0",
        "ratio_ci_low": "2.3",
        "ratio_ci_high": "6.9",
        "z": "4.3",
        "excess_wrong_decisions": "300",
        "excess_ci_low": "200",
        "excess_ci_high": "400",
    } | changes
    columns = ", ".join(f"{value} as {name}" for name, value in row.items())
    return f"insert into {ALERTS} by name select {columns};"


def candidate(**changes):
    """Insert a slice that may explain an alarm."""
    row = {
        "alert_id": "'queue|q01|worse|2026-04-09'",
        "driver_round": "1",
        "driver_rank": "2",
        "is_driver": "false",
        "share_of_evidence": "0.1",
    } | changes
    columns = ", ".join(f"{value} as {name}" for name, value in row.items())
    return f"insert into {DRIVERS} by name select {columns};"


# Of a month: by week queues may be withheld, and sums short of them.
A_QUEUE = (
    "metric_id = 'accuracy' and metric_version = 1 and period_type = 'month' "
    "and dimension_name = 'queue'"
)
A_QUEUE_WITH_AUDITS = f"{A_QUEUE} and n > 1 and n_excluded_audits > 0"
EXCLUDED_OF_A_QUEUE = "dimension_name = 'queue' and applies_to = 'decision'"
NO_AUDIT = "metric_id = 'accuracy' and metric_version = 1 and n = 0 and unweighted_n = 0"
A_WEEK = "period_type = 'week'"
REPORTABLE = "metric_id = 'accuracy' and metric_version = 1 and is_reportable"
REPORTABLE_AGREEMENT = "is_reportable and estimate < 1"

HAS_ENDS = "is_reportable and period_type = 'month' and closed_only_difference is not null"
THEIRS = "people_hold_every_audit_of_theirs"
SCORED = "period_type = 'month' and eb_estimate is not null and n >= 15"
SHOWN = "raw_estimate is not null and period_type = 'trailing'"
A_SEGMENT = "segment_status = 'in_both' and abs(rate_contribution) > 0.001"
SHOWN_CELL = "cell_key = 'q01' and not is_empty"
KEY_OF_COMPARED = "(period_starts_on, mix_name, dimension_name, dimension_value)"

BY_ONE = "cast(audit_id not similar to '.*[1-4]' as int)"
CORRECT = (
    "error_class = 'correct', n_correct = 1, n_false_positive = 0, n_false_negative = 0, "
    "n_wrong_selection = 0, n_technical = 0"
)

# What is done to the warehouse: (the SQL, the tests that must fail, and no others).
MUTATIONS = {
    # Identities: what adds up no longer does.
    "a_decision_that_never_reached_the_mart": (
        repeat("staging.base_decisions", change="'lost' as decision_id"),
        {ALL_IN},
    ),
    "an_audit_that_never_reached_the_mart": (
        repeat("staging.stg_audits", change="'lost' as audit_id"),
        {ALL_IN},
    ),
    "a_month_without_its_count_of_audits": (
        f"update {RATES} set n = null where period_type = 'month' "
        "and dimension_name = 'overall' and metric_id = 'accuracy' and metric_version = 1",
        {ALL_IN, PARTS, DAYS, "a_missing_rate_says_why"},
    ),
    "a_weight_too_large": (
        update(AUDITS, "weight = weight * 1.001", "is_counted"),
        {WEIGHTS},
    ),
    "a_stratum_without_weights": (
        f"update {AUDITS} set weight = null where stratum_key = "
        f"(select min(stratum_key) from {AUDITS} where is_counted)",
        {WEIGHTS, "counted_audits_have_a_weight_and_a_class"},
    ),
    "an_audit_that_counts_in_no_stratum": (
        update(AUDITS, "stratum_key = null", "is_counted"),
        {WEIGHTS},
    ),
    "audits_of_decisions_that_were_rewritten": (
        f"update {DECISIONS} set action_code = 'label' where action_code = 'remove'",
        {MATCHED, CODES},
    ),
    "audits_in_each_others_strata": (
        f"update {DECISIONS} set stratum_key = (select max(stratum_key) from {DECISIONS}) "
        "where stratum_key is not null",
        {MATCHED},
    ),
    "audits_of_decisions_that_are_gone": (
        f"delete from {DECISIONS} where is_eligible",
        {MATCHED, EVERY_DECISION, CODES},
    ),
    "a_row_recorded_in_the_future": (
        update("staging.stg_queues", "recorded_at = timestamp '2999-01-01'", "true"),
        {"as_of_is_not_in_the_future"},
    ),
    "excluded_audits_counted_under_another_reason": (
        update(EXCLUSIONS, "reason_code = 'self_audit'", "applies_to = 'audit'"),
        {REASONS},
    ),
    "excluded_audits_without_a_reason": (
        f"delete from {EXCLUSIONS} where {one_row(EXCLUSIONS, EXCLUDED_OF_A_QUEUE)}",
        {REASONS},
    ),
    "excluded_decisions_of_another_queue": (
        update(EXCLUSIONS, "dimension_value = 'another'", EXCLUDED_OF_A_QUEUE),
        {REASONS},
    ),
    "excluded_decisions_that_are_not_counted": (
        update(EXCLUSIONS, "n_excluded = null", EXCLUDED_OF_A_QUEUE),
        {"exclusions_are_counted_or_withheld"},
    ),
    "exclusions_of_a_few_people": (
        update(EXCLUSIONS, "withheld_reason = 'suppressed_small_group'", EXCLUDED_OF_A_QUEUE),
        {"exclusions_are_counted_or_withheld"},
    ),
    "exclusions_twice": (
        repeat(EXCLUSIONS, EXCLUDED_OF_A_QUEUE),
        {REASONS, "exclusions_are_unique"},
    ),
    "a_population_that_does_not_count_what_it_leaves_out": (
        update(POPULATION, "n_excluded_audits = null", "dimension_name = 'queue'"),
        {REASONS, DAYS},
    ),
    "excluded_audits_that_are_not_counted": (
        update(RATES, "n_excluded_audits = null", A_QUEUE_WITH_AUDITS),
        {PARTS, DAYS},
    ),
    "an_audit_in_two_classes": (
        update(RATES, "n_successes = n_successes + 1", A_QUEUE_WITH_AUDITS),
        {CLASSES, PARTS, DAYS},
    ),
    "a_class_without_its_share": (
        update(RATES, "unweighted_rate = null", A_QUEUE_WITH_AUDITS),
        {CLASSES},
    ),
    "shares_that_do_not_sum_to_one": (
        update(
            RATES,
            "estimate = estimate - 1e-6",
            f"{A_QUEUE_WITH_AUDITS} and estimate between 0.5 and 0.99",
        ),
        {CLASSES},
    ),
    "a_class_that_is_not_published": (
        f"delete from {RATES} where metric_id = 'technical_error_rate'",
        {CLASSES},
    ),
    "a_queue_that_weighs_too_much": (
        update(
            RATES,
            "weighted_denominator = weighted_denominator * 1.001",
            A_QUEUE_WITH_AUDITS,
        ),
        {PARTS},
    ),
    "a_queue_without_its_weight": (
        update(RATES, "weighted_denominator = null", A_QUEUE_WITH_AUDITS),
        {PARTS},
    ),
    "a_queue_without_its_weighted_successes": (
        update(RATES, "weighted_numerator = null", A_QUEUE_WITH_AUDITS),
        {PARTS},
    ),
    "a_queue_in_no_reporting_group": (
        f"delete from {RATES} where dimension_name = 'queue' and dimension_value = "
        f"(select min(dimension_value) from {RATES} where dimension_name = 'queue')",
        {PARTS},
    ),
    "a_dimension_that_is_gone": (
        f"delete from {RATES} where dimension_name = 'site'",
        {PARTS},
    ),
    "a_day_that_is_gone": (
        f"delete from {POPULATION} where period_type = 'day' and period_starts_on = "
        f"(select median(period_starts_on)::date from {POPULATION} where period_type = 'day')",
        {DAYS},
    ),
    "weeks_that_are_gone": (
        f"delete from {RATES} where period_type = 'week'",
        {DAYS, PARTS, CHANGES, "charted_weeks_are_reportable"},
    ),
    "four_weeks_that_are_gone": (
        f"delete from {RATES} where period_type = 'four_weeks'",
        {DAYS, PARTS},
    ),
    "a_day_without_its_rates": (
        update(POPULATION, "has_rates = true", "period_type = 'day' and dimension_name = 'queue'"),
        {PARTS},
    ),
    "a_week_that_nobody_knows": (
        f"delete from {PERIODS} where {one_row(PERIODS, A_WEEK)}",
        {KNOWN_PERIODS},
    ),
    "a_week_of_eight_days": (
        update(PERIODS, "period_ends_on = period_ends_on + 1", A_WEEK),
        {KNOWN_PERIODS},
    ),
    "a_period_twice": (
        repeat(PERIODS, change="period_ends_on - 1 as period_ends_on"),
        {KNOWN_PERIODS, "periods_are_unique"},
    ),
    # The rates.
    "no_rates": (
        f"delete from {RATES}",
        {"there_are_rates", ALL_IN, CHANGES, "charted_weeks_are_reportable"},
    ),
    "a_rate_twice": (
        repeat(RATES, A_QUEUE_WITH_AUDITS),
        {"rates_are_unique", CLASSES, PARTS, DAYS},
    ),
    "a_rate_of_no_period": (
        update(RATES, "period_starts_on = null", "metric_id = 'technical_error_rate'"),
        {"rates_are_unique", CLASSES, PARTS, KNOWN_PERIODS},
    ),
    "an_interval_beside_its_rate": (
        update(RATES, "ci_low = estimate + 1e-6", REPORTABLE),
        {"rates_are_shares_inside_their_interval"},
    ),
    "an_interval_without_an_end": (
        update(RATES, "ci_high = null", REPORTABLE),
        {"rates_are_shares_inside_their_interval"},
    ),
    "a_share_above_one": (
        f"update {RATES} set ci_high = 1.01 where {one_row(RATES, REPORTABLE)}",
        {"rates_are_shares_inside_their_interval"},
    ),
    "a_missing_rate_without_a_reason": (
        update(RATES, "reason_code = null", NO_AUDIT),
        {"a_missing_rate_says_why"},
    ),
    "nothing_measured_shown_as_zero": (
        update(RATES, "estimate = 0", NO_AUDIT),
        {"a_missing_rate_says_why"},
    ),
    "a_rate_without_its_error": (
        update(RATES, "standard_error = null", REPORTABLE),
        {"a_missing_rate_says_why"},
    ),
    "few_audits_called_reportable": (
        update(RATES, "is_reportable = true", "n = 5"),
        {"reportable_rates_have_enough_audits"},
    ),
    "reportable_on_an_unknown_effective_n": (
        update(RATES, "effective_n = null", REPORTABLE),
        {"reportable_rates_have_enough_audits"},
    ),
    "a_decision_neither_eligible_nor_excluded": (
        update(RATES, "n_eligible_decisions = n_eligible_decisions + 1", A_QUEUE_WITH_AUDITS),
        {"eligible_and_excluded_decisions_are_all", PARTS},
    ),
    "eligible_decisions_that_are_not_counted": (
        update(RATES, "n_eligible_decisions = null", A_QUEUE_WITH_AUDITS),
        {
            "eligible_and_excluded_decisions_are_all",
            "an_estimate_speaks_for_decisions_that_exist",
            PARTS,
        },
    ),
    "an_estimate_for_decisions_that_never_were": (
        update(RATES, "n_covered_decisions = n_eligible_decisions + 1", A_QUEUE_WITH_AUDITS),
        {PARTS, "an_estimate_speaks_for_decisions_that_exist"},
    ),
    "decisions_that_wait_for_a_frame_lost": (
        update(RATES, "n_pending_decisions = n_pending_decisions + 1", A_QUEUE_WITH_AUDITS),
        {PARTS, "an_estimate_speaks_for_decisions_that_exist"},
    ),
    "a_rate_that_speaks_for_too_few": (
        update(RATES, "coverage_rate = 0.9", "is_reportable"),
        {"reportable_rates_have_enough_audits"},
    ),
    "a_recall_of_what_nobody_saw": (
        update(RATES, "share_in_sight = 0.5", "is_reportable and share_in_sight is not null"),
        {"reportable_rates_have_enough_audits"},
    ),
    # What the rates are made of.
    "a_cell_twice": (repeat(CELLS, "exclusion_reason is null"), {"cells_are_unique"}),
    "a_cell_of_no_dimension_value": (
        update(CELLS, "dimension_value = null", "exclusion_reason is null"),
        {"cells_are_unique", "cells_have_a_dimension"},
    ),
    "a_population_twice": (
        repeat(POPULATION),
        {"population_is_unique", DAYS},
    ),
    "an_estimate_twice": (repeat("restricted.accuracy_estimates"), {"estimates_are_unique"}),
    "an_estimate_of_no_metric": (
        update("restricted.accuracy_estimates", "metric_id = null", "true"),
        {"estimates_are_unique"},
    ),
    "a_decision_twice": (
        repeat(DECISIONS, "is_eligible"),
        {"fct_decisions_are_unique", EVERY_DECISION},
    ),
    "a_decision_without_an_id": (
        update(DECISIONS, "decision_id = null", "true"),
        {"fct_decisions_are_unique"},
    ),
    "decisions_excluded_for_a_reason_of_no_seed": (
        update(DECISIONS, "exclusion_reason = 'because'", "not is_eligible"),
        {"decision_exclusion_reasons_are_registered", REASONS},
    ),
    "a_decision_left_out_without_a_reason": (
        update(DECISIONS, "exclusion_reason = null", "not is_eligible"),
        {REASONS, "fct_decisions_are_eligible_or_have_a_reason"},
    ),
    "a_decision_that_is_in_and_out": (
        update(DECISIONS, "is_eligible = null", "is_eligible"),
        {"fct_decisions_are_eligible_or_have_a_reason", EVERY_DECISION},
    ),
    "an_audit_twice": (
        repeat(AUDITS, "not is_counted"),
        {"fct_audits_are_unique", REASONS},
    ),
    "an_audit_left_out_without_a_reason": (
        update(AUDITS, "exclusion_reason = null", "not is_counted"),
        {REASONS, "fct_audits_count_or_have_a_reason"},
    ),
    "an_audit_that_counts_without_a_class": (
        update(AUDITS, "error_class = null, n_correct = 0", "is_counted and n_correct = 1"),
        {"counted_audits_have_a_weight_and_a_class", WATCHED},
    ),
    "an_audit_correct_and_wrong": (
        update(AUDITS, "n_false_positive = 1", "n_correct = 1"),
        {"every_judged_audit_is_one_class"},
    ),
    "an_audit_whose_class_is_not_counted": (
        update(AUDITS, "n_correct = null", "n_correct = 1"),
        {"every_judged_audit_is_one_class", WATCHED},
    ),
    # People, groups of people, and the audit plan.
    "a_persons_score_twice": (
        repeat(PEOPLE, "n = 0"),
        {"moderator_scores_are_unique"},
    ),
    "a_person_whose_audits_are_told_twice": (
        update(PEOPLE, "n_technical_audits = n_technical_audits + 1", "period_type = 'month'"),
        {THEIRS},
    ),
    "a_person_that_is_gone": (
        f"delete from {PEOPLE} where {one_row(PEOPLE, SCORED)}",
        {THEIRS},
    ),
    "a_rank_on_few_audits": (
        update(PEOPLE, "accuracy_rank = 1", "n between 1 and 9"),
        {"nobody_is_ranked_on_few_audits"},
    ),
    "ranked_below_the_minimum": (
        update(PEOPLE, "is_ranked = true, accuracy_rank = n_ranked + 1", SCORED),
        {"nobody_is_ranked_on_few_audits"},
    ),
    "a_score_beyond_the_peers": (
        update(PEOPLE, "eb_estimate = peer_mean + 2 * (peer_mean - estimate) + 0.01", SCORED),
        {"scores_lie_between_the_person_and_the_peers"},
    ),
    "a_score_beside_its_interval": (
        update(PEOPLE, "eb_ci_high = eb_estimate - 1e-6", SCORED),
        {"scores_lie_between_the_person_and_the_peers"},
    ),
    "a_score_of_nothing_without_a_reason": (
        update(PEOPLE, "reason_code = null", "n = 0"),
        {"missing_scores_say_why"},
    ),
    "a_probability_without_a_target": (
        update(PEOPLE, "target_accuracy_at_decision = null", SCORED),
        {"probabilities_have_a_target_and_a_score"},
    ),
    "a_probability_above_one": (
        update(PEOPLE, "probability_below_target = 1.1", SCORED),
        {"probabilities_have_a_target_and_a_score"},
    ),
    "a_mix_that_explains_more_than_it_does": (
        update(PEOPLE, "mix_effect = mix_effect + 1e-6", SCORED),
        {"what_the_mix_adds_is_shown"},
    ),
    "no_comparisons": (f"delete from {COMPARED}", {"marts_of_audits_hold_rows"}),
    "a_group_that_is_apart_by_nothing": (
        update(
            COMPARED,
            "is_apart_from_others = true, difference_ci_low = -1, difference_ci_high = 1",
            f"{SHOWN} and is_reportable and difference_from_others is not null",
        ),
        {"groups_that_are_apart_differ_from_the_others"},
    ),
    "the_smallest_other_group_that_is_shown": (
        update(COMPARED, "n = 9", "reason_code = 'suppressed_complementary'"),
        {"groups_of_few_people_are_not_shown", "shares_of_a_mix_sum_to_one"},
    ),
    "a_team_of_few_that_is_shown": (
        update(RATES, "reason_code = 'suppressed_small_group', is_reportable = false", REPORTABLE),
        {"rates_of_few_people_are_not_shown", CLASSES},
    ),
    "a_comparison_twice": (repeat(COMPARED, SHOWN), {"comparisons_are_unique"}),
    "a_group_of_two_that_is_shown": (
        update(COMPARED, "estimate = 0.9", "reason_code = 'suppressed_small_group'"),
        {"groups_of_few_people_are_not_shown"},
    ),
    "parts_of_a_comparison_that_do_not_add_up": (
        update(COMPARED, "mix_effect = mix_effect + 1e-6", SHOWN),
        {"the_parts_of_a_comparison_add_up"},
    ),
    "a_comparison_without_a_reason": (
        update(COMPARED, "is_reportable = true", f"{SHOWN} and not is_reportable"),
        {"comparisons_say_why_they_are_not_reportable"},
    ),
    "a_mix_that_cannot_be_compared": (
        update(COMPARED, "comparable_share = 0.1", f"{SHOWN} and is_reportable"),
        {"comparisons_say_why_they_are_not_reportable", "shares_of_a_mix_sum_to_one"},
    ),
    "a_cell_of_the_mix_twice": (
        repeat(MIX_CELLS, "dimension_name = 'everybody'"),
        {"standardisation_cells_are_unique"},
    ),
    "a_cell_of_the_mix_that_is_gone": (
        f"delete from {MIX_CELLS} where {SHOWN_CELL} and {KEY_OF_COMPARED} in "
        f"(select {KEY_OF_COMPARED} from {COMPARED} where n > 0)",
        {"shares_of_a_mix_sum_to_one"},
    ),
    "a_cell_of_one_person_that_is_shown": (
        update(MIX_CELLS, "own_rate = 0.9", "is_withheld"),
        {"cells_of_few_people_are_not_shown"},
    ),
    "a_segment_of_a_change_that_is_gone": (
        f"delete from {CHANGE} where {one_row(CHANGE, A_SEGMENT)}",
        {CHANGES},
    ),
    "a_change_that_is_not_explained": (
        f"delete from {CHANGE} where comparison_id = (select max(comparison_id) from {CHANGE})",
        {CHANGES},
    ),
    "a_change_by_another_number_than_published": (
        update(CHANGE, "contribution = contribution + 0.001", "row_type = 'sampling_of_the_mix'"),
        {CHANGES},
    ),
    "a_segment_of_a_change_twice": (
        repeat(CHANGE, A_SEGMENT),
        {CHANGES, "changes_are_unique"},
    ),
    "a_rate_that_moved_more_than_its_part": (
        update(CHANGE, "rate_contribution = 2 * rate_contribution", A_SEGMENT),
        {"parts_of_a_change_follow_their_formula"},
    ),
    "a_change_of_no_period": (
        f"update {GATE} set period_ends_on = period_starts_on",
        {KNOWN_PERIODS},
    ),
    "a_check_of_a_change_twice": (repeat(GATE), {"checks_of_a_change_are_unique"}),
    "a_gate_that_lets_a_missing_plan_pass": (
        update(GATE, "value_later = null", "gate_status = 'ok'"),
        {"a_gate_says_what_its_values_do"},
    ),
    "a_planned_stratum_twice": (repeat(PLAN), {"audit_plan_strata_are_unique", FRAMED}),
    "a_framed_stratum_without_a_plan": (
        f"delete from {PLAN} where {one_row(PLAN, 'true')}",
        {FRAMED},
    ),
    "no_plan_at_all": (f"delete from {PLAN}", {FRAMED}),
    "more_audits_than_decisions": (
        update(PLAN, "n_to_draw = population_size + 1", "true"),
        {"plan_sizes_are_possible"},
    ),
    "an_audit_more_than_the_option_has": (
        update(
            PLAN,
            "proposed_sample_size = proposed_sample_size + 1, n_to_draw = population_size",
            "proposed_sample_size < population_size",
        ),
        {FRAMED},
    ),
    "a_plan_that_misses_its_target": (
        update(
            PLAN,
            "is_target_met = false, plan_expected_half_width = target_half_width + 1e-6",
            "proposed_sample_size < population_size",
        ),
        {"the_plan_meets_its_target"},
    ),
    "a_plan_that_only_says_that_it_meets_its_target": (
        update(PLAN, "plan_expected_half_width = target_half_width + 1e-6", "is_target_met"),
        {"the_plan_meets_its_target"},
    ),
    "an_option_twice": (
        repeat(OPTIONS, "option_id = 'current'"),
        {"plan_options_are_unique"},
    ),
    "no_option_at_all": (f"delete from {OPTIONS}", {FRAMED}),
    "an_option_that_is_gone": (f"delete from {OPTIONS} where option_id = 'more_500'", {FRAMED}),
    "a_queue_without_an_option": (
        f"delete from {OPTIONS} where "
        + one_row(OPTIONS, "option_id = 'target' and dimension_name = 'queue'"),
        {FRAMED},
    ),
    "a_coverage_twice": (
        repeat(COVERAGE),
        {"coverage_rows_are_unique", EVERY_DECISION},
    ),
    "no_coverage_at_all": (f"delete from {COVERAGE}", {EVERY_DECISION}),
    "gaps_called_covered": (
        update(COVERAGE, "coverage_status = 'covered', queue_id = 'x'", "is_gap"),
        {EVERY_DECISION},
    ),
    # Agreement of raters.
    "agreement_twice": (repeat(AGREEMENT), {"agreement_is_unique"}),
    "a_coefficient_above_one": (
        update(
            AGREEMENT,
            "estimate = 1.01",
            "coefficient = 'fleiss_kappa' and estimate is not null",
        ),
        {"coefficients_are_not_above_one"},
    ),
    "an_interval_beside_its_coefficient": (
        update(AGREEMENT, "ci_low = estimate + 1e-6", REPORTABLE_AGREEMENT),
        {"coefficients_are_not_above_one"},
    ),
    "a_coefficient_without_its_interval": (
        update(AGREEMENT, "ci_high = null", REPORTABLE_AGREEMENT),
        {"coefficients_are_not_above_one", "reportable_agreement_has_enough_items"},
    ),
    "nobody_agreed_with_nobody": (
        update(AGREEMENT, "estimate = 1", "n = 0 and coefficient <> 'cohens_kappa'"),
        {"a_missing_coefficient_says_why"},
    ),
    "a_missing_coefficient_without_a_reason": (
        update(
            AGREEMENT,
            "reason_code = 'no_interval'",
            "coefficient = 'cohens_kappa' and reason_code = 'not_two_raters'",
        ),
        {"a_missing_coefficient_says_why"},
    ),
    "few_items_called_reportable": (
        update(AGREEMENT, "is_reportable = true", "reason_code = 'too_few_items'"),
        {"reportable_agreement_has_enough_items"},
    ),
    "reportable_on_an_unknown_number_of_items": (
        update(AGREEMENT, "n = null", REPORTABLE_AGREEMENT),
        {
            "a_missing_coefficient_says_why",
            "reportable_agreement_has_enough_items",
            "rated_items_and_their_pairs_add_up",
        },
    ),
    "cohens_kappa_of_many": (
        update(
            AGREEMENT,
            "estimate = 0.5, reason_code = 'no_interval'",
            "coefficient = 'cohens_kappa' and reason_code = 'not_two_raters'",
        ),
        {"coefficients_of_many_raters_are_not_cohens"},
    ),
    "a_kind_of_error_that_the_seed_lacks": (
        "delete from reference.reasons where reason_code = 'false_negative'",
        {"reasons_are_registered"},
    ),
    "a_reason_that_the_seed_lacks": (
        "delete from reference.reasons where reason_code = 'low_coverage'",
        {"reasons_are_registered"},
    ),
    "agreement_of_four_raters": (
        update(AGREEMENT, "n_people = 4", REPORTABLE_AGREEMENT),
        {"agreement_of_few_raters_is_not_shown"},
    ),
    "an_item_without_a_rating": (
        update(AGREEMENT, "n_ratings = n_items", REPORTABLE_AGREEMENT),
        {"rated_items_and_their_pairs_add_up"},
    ),
    "a_rating_left_out_for_no_reason": (
        update(AGREEMENT, "n_excluded_ratings = n_excluded_ratings + 1", "n_ratings > 0"),
        {"rated_items_and_their_pairs_add_up"},
    ),
    # Policies, errors, overturns.
    "a_policy_cell_twice": (repeat("cells.policy_cells"), {"policy_cells_are_unique"}),
    "a_policy_confirmed_more_often_than_decided": (
        update("cells.policy_cells", "n_confirmed = n_decided + 1", "n_decided > 0"),
        {"policy_cells_hold_no_more_than_there_is"},
    ),
    "a_policy_rate_twice": (repeat(POLICIES), {"policy_rates_are_unique"}),
    "a_policy_rate_beside_its_interval": (
        update(POLICIES, "ci_high = estimate - 1e-6", "is_reportable and estimate > 0.1"),
        {"policy_rates_are_shares_inside_their_interval"},
    ),
    "a_policy_rate_missing_without_a_reason": (
        update(POLICIES, "estimate = null", "is_reportable"),
        {"a_missing_policy_rate_says_why", "reportable_policy_rates_have_enough_audits"},
    ),
    "a_policy_rate_on_few_audits": (
        update(POLICIES, "n_base_audits = 29", "is_reportable"),
        {"reportable_policy_rates_have_enough_audits"},
    ),
    "no_policy_rates": (f"delete from {POLICIES}", {"marts_of_audits_hold_rows"}),
    "a_pair_of_policies_twice": (repeat(CONFUSION), {"confusions_are_unique", SUMS}),
    "a_pair_of_policies_without_weight": (
        update(CONFUSION, "weighted_decisions = null", "true"),
        {"confusions_have_weight"},
    ),
    "a_pair_of_policies_lost": (
        f"delete from {CONFUSION} where {one_row(CONFUSION, 'is_same')}",
        {SUMS},
    ),
    "a_group_of_errors_twice": (repeat(PARETO), {"pareto_groups_are_unique", SUMS}),
    "a_group_of_errors_lost": (
        f"delete from {PARETO} where {one_row(PARETO, 'error_rank = 1')}",
        {SUMS},
    ),
    "errors_of_a_whole_month_lost": (f"delete from {PARETO}", {SUMS}),
    "a_group_with_more_errors_than_there_are": (
        update(PARETO, "cumulative_share_of_errors = 1.01", "true"),
        {"pareto_shares_are_shares"},
    ),
    "a_group_of_errors_of_no_reason": (
        update(PARETO, "main_reason = null", "reason = 'all'"),
        {"pareto_groups_have_a_main_reason"},
    ),
    "no_overturns": (f"delete from {OVERTURNED}", {"there_are_decisions_to_overturn"}),
    "an_overturn_twice": (repeat(OVERTURNED), {"overturned_decisions_are_unique"}),
    "more_overturned_than_decided": (
        update(OVERTURNED, "n_overturned_decisions = n_eligible_decisions + 1", "true"),
        {"no_more_is_overturned_than_was_decided"},
    ),
    # Appeals.
    "an_appeal_twice": (repeat(APPEALS), {"fct_appeals_are_unique"}),
    "an_appeal_left_out_for_no_reason": (
        update(APPEALS, "is_in_rates = false", "true"),
        {"appeals_are_counted_or_have_a_reason"},
    ),
    "an_appeal_of_nobody": (
        update(APPEALS, "appellant = null", "is_in_rates"),
        {"appeals_are_counted_or_have_a_reason"},
    ),
    "an_appeal_left_out_for_an_unknown_reason": (
        update(APPEALS, "is_in_rates = false, exclusion_reason = 'why'", "true"),
        {"appeal_exclusion_reasons_are_registered"},
    ),
    "an_appeal_of_unknown_times": (
        update(APPEALS, "time_exclusion_reason = 'not_appealable'", "true"),
        {"appeal_time_exclusion_reasons_are_registered"},
    ),
    "no_rates_of_appeals": (f"delete from {APPEAL_RATES}", {"there_are_actions_to_appeal"}),
    "a_rate_of_appeals_twice": (repeat(APPEAL_RATES), {"appeal_rates_are_unique"}),
    "a_rate_of_appeals_that_is_no_quotient": (
        update(APPEAL_RATES, "n_successes = n_successes - 1", "n_successes > 0"),
        {"a_rate_of_appeals_is_inside_its_interval"},
    ),
    "a_rate_of_appeals_outside_its_interval": (
        update(APPEAL_RATES, "ci_low = estimate + 0.01", "ci_low is not null"),
        {"a_rate_of_appeals_is_inside_its_interval"},
    ),
    "a_rate_of_few_appeals_that_is_reported": (
        update(
            APPEAL_RATES,
            "is_reportable = true, reason_code = null",
            "reason_code = 'too_few_cases'",
        ),
        {"a_rate_of_appeals_is_inside_its_interval"},
    ),
    "appeals_of_a_suppressed_group": (
        update(APPEAL_RATES, "n_appeals = 7", "reason_code = 'suppressed_complementary'"),
        {"appeals_that_are_shown_sum_to_all"},
    ),
    "an_appeal_that_ends_in_no_way": (
        update(APPEAL_RATES, "n_appeals = n_appeals + 1", "is_reportable"),
        {"appeals_that_are_shown_sum_to_all"},
    ),
    # Transparency.
    "no_rates_of_enforcement": (f"delete from {ENFORCEMENT}", {"there_are_rates_of_enforcement"}),
    "a_rate_of_enforcement_twice": (
        repeat(ENFORCEMENT, "dimension_name = 'policy' and metric_id = 'reinstated'"),
        {"enforcement_rates_are_unique"},
    ),
    "a_policy_whose_removals_are_lost": (
        f"delete from {ENFORCEMENT} where dimension_name = 'policy' and dimension_value = "
        f"(select min(dimension_value) from {ENFORCEMENT} where dimension_name = 'policy')",
        {"policies_of_enforcement_sum_to_the_whole"},
    ),
    "an_item_that_is_neither_in_a_rate_nor_left_out": (
        update(ENFORCEMENT, "n_not_recorded = n_not_recorded + 1", "n > 0"),
        {"every_act_is_counted_or_left_out"},
    ),
    "more_successes_than_items": (
        update(ENFORCEMENT, "n_successes = n + 1, estimate = 1", "n > 0"),
        {"every_act_is_counted_or_left_out"},
    ),
    "a_prevalence_from_nothing": (
        update(ENFORCEMENT, "estimate = 0.001", "metric_id = 'prevalence'"),
        {"a_rate_of_enforcement_or_why_not"},
    ),
    "a_rate_of_few_people": (
        update(
            ENFORCEMENT,
            "n = 1, n_successes = 1, n_not_recorded = n_items - 1, n_impossible = 0, estimate = 1, "
            "is_reportable = true, reason_code = null",
            "reason_code = 'suppressed_small_group' and n_people > 0",
        ),
        {"a_rate_of_enforcement_or_why_not"},
    ),
    "a_wait_for_an_answer_twice": (repeat(APPEAL_WAITS), {"turnarounds_of_appeals_are_unique"}),
    "a_wait_for_an_answer_outside_its_interval": (
        update(APPEAL_WAITS, "ci_low = estimate + 1", "is_reportable"),
        {"a_wait_for_an_answer_is_in_its_interval"},
    ),
    "a_wait_of_few_appeals": (
        update(
            APPEAL_WAITS, "n = 5, n_answered = 5, n_withdrawn = 0, n_pending = 0", "is_reportable"
        ),
        {"a_wait_for_an_answer_is_in_its_interval"},
    ),
    "an_appeal_that_neither_waits_nor_ended": (
        update(APPEAL_WAITS, "n_pending = n_pending + 1", "is_reportable"),
        {"a_wait_for_an_answer_is_in_its_interval"},
    ),
    "a_wait_of_a_suppressed_group": (
        update(APPEAL_WAITS, "longest_wait_hours = 7", "reason_code = 'suppressed_small_group'"),
        {"a_wait_for_an_answer_is_in_its_interval"},
    ),
    "no_cells_of_the_sheets": (f"delete from {SHEETS}", {"there_are_cells_of_the_sheets"}),
    "a_cell_of_a_sheet_twice": (
        repeat(SHEETS, "indicator = 'accuracy'"),
        {"cells_of_the_sheets_are_unique"},
    ),
    "half_a_measure": (
        update(SHEETS, "cell_value = cell_value + 0.5", "sheet = 9 and unit = 'count'"),
        {"a_cell_has_a_value_of_its_unit_or_a_reason"},
    ),
    "a_blank_that_nobody_explains": (
        update(
            SHEETS,
            "cell_value = null, reason_code = null, is_fit_to_publish = false",
            "sheet = 9 and cell_value is not null",
        ),
        {"a_cell_has_a_value_of_its_unit_or_a_reason"},
    ),
    "a_total_that_its_categories_do_not_give": (
        update(
            SHEETS,
            "cell_value = cell_value + 1",
            "sheet = 4 and category = 'TOTAL' and indicator = 'n_requests'",
        ),
        {"cells_of_the_sheets_add_up"},
    ),
    "a_complaint_of_no_kind": (
        update(
            SHEETS,
            "cell_value = cell_value + 1",
            "sheet = 7 and scope = 'internal' and indicator = 'n_upheld'",
        ),
        {"cells_of_the_sheets_add_up"},
    ),
    "machines_that_did_more_in_one_sheet": (
        update(
            SHEETS,
            "cell_value = cell_value + 1",
            "sheet = 8 and scope = 'own_initiative' and indicator = 'n_automated'",
        ),
        {"cells_of_the_sheets_add_up"},
    ),
    # Dimensions and reconciliation.
    "a_policy_twice": (repeat("report.dim_policies"), {"policies_are_unique"}),
    "a_queue_twice": (repeat("report.dim_queues"), {"queues_are_unique"}),
    "a_day_twice": (repeat("report.dim_calendar"), {"days_are_unique"}),
    "a_day_of_decisions_twice": (
        repeat("cells.accuracy_decisions_by_day"),
        {"days_of_decisions_are_unique"},
    ),
    "a_delivery_twice": (repeat("restricted.deliveries"), {"deliveries_are_unique"}),
    "a_person_twice": (repeat("restricted.dim_people"), {"people_are_unique"}),
    "a_row_lost_in_staging": (
        update("reconciliation.rows_accounted_for", "n_unaccounted = 1", "true"),
        {"no_row_is_lost_in_staging"},
    ),
    "rows_that_nobody_counted": (
        update("reconciliation.rows_accounted_for", "n_unaccounted = null", "true"),
        {"no_row_is_lost_in_staging"},
    ),
    "a_comparison_made_twice": (
        repeat("restricted.int_reconciliation__compared"),
        {"comparisons_have_one_row_each"},
    ),
    "a_check_twice": (repeat(CHECKS), {"checks_are_made_once"}),
    "a_row_that_the_layer_lost": (
        update(
            CHECKS,
            "right_value = right_value - 1, status = 'break', reason_code = 'rows_lost'",
            "check_name = 'facts_to_rates'",
        ),
        {"the_layer_agrees_with_itself"},
    ),
    "a_missing_side_that_passes": (
        update(CHECKS, "right_value = null", "check_name = 'facts_to_rates'"),
        {"statuses_follow_from_the_values"},
    ),
    "a_break_without_a_reason": (
        update(CHECKS, "status = 'break'", "check_name = 'decisions_to_jobs'"),
        {"statuses_follow_from_the_values"},
    ),
    "a_comparison_that_was_not_made": (
        update(
            CHECKS,
            "left_value = null, status = 'not_evaluated'",
            "check_name = 'facts_to_rates'",
        ),
        {"the_layer_agrees_with_itself"},
    ),
    "a_reason_of_a_difference_that_nobody_knows": (
        update(CHECKS, "reason_code = 'because'", "status = 'explained'"),
        {"reasons_are_registered"},
    ),
    "a_number_on_a_break_twice": (
        repeat("reconciliation.numbers_on_breaks"),
        {"numbers_on_breaks_are_named_once"},
    ),
    "a_differing_row_twice": (
        repeat("restricted.int_reconciliation__work_rows"),
        {"work_rows_are_named_once"},
    ),
    "a_differing_statement_twice": (
        repeat("restricted.int_reconciliation__statements_rows"),
        {"statement_rows_are_named_once"},
    ),
    # Plausibility: every row could be, and all together cannot.
    "an_audit_before_its_decision": (
        update(AUDITS, "decided_at = audited_at + interval 1 hour", "is_counted"),
        {"audits_come_after_their_decision"},
    ),
    "audits_that_are_missing": (
        f"update {COMPLETION} set n_planned = 2 * n_planned, n_not_begun = n_not_begun + n_planned",
        {"planned_audits_are_made"},
    ),
    "a_gap_in_the_revisions": (
        "update staging.stg_audits set revision_no = revision_no + 1 where revision_no > 1",
        {"revisions_follow_each_other"},
    ),
    "revisions_out_of_time": (
        "update staging.stg_audits set recorded_at = recorded_at - interval 90 day "
        "where revision_no > 1",
        {"revisions_follow_each_other"},
    ),
    "an_auditor_who_copies": (
        f"update {AUDITS} set n_correct = {BY_ONE}, n_wrong_selection = 1 - {BY_ONE}, "
        f"error_class = if({BY_ONE} = 1, 'correct', 'wrong_selection'), n_technical = 0, "
        f"n_false_positive = 0, n_false_negative = 0, auditor_key = if({BY_ONE} = 1, 'one', 'two') "
        "where is_counted",
        {"errors_are_found_as_elsewhere", WATCHED},
    ),
    "everybody_copies": (
        f"update {AUDITS} set {CORRECT} where is_counted",
        {"errors_are_found_as_elsewhere", WATCHED},
    ),
    "truths_by_another_table_of_codes": (
        f"update {AUDITS} set truth_action_code = 'suspended' where is_violating",
        {"truths_are_actions_of_their_queue"},
    ),
    "people_who_left_the_roster": (
        "delete from restricted.stg_roster where role = 'moderator'",
        {"people_are_on_the_roster"},
    ),
    "audits_in_no_frame": (
        f"update {AUDITS} set weight = null, exclusion_reason = 'no_frame', is_counted = false "
        "where is_counted",
        {
            "audits_are_weighted",
            "people_hold_every_audit_of_theirs",
            EVERY_DECISION,
            REASONS,
            WEIGHTS,
        },
    ),
    "a_derived_frame_of_audited_decisions": (
        "update facts.int_sampling__strata "
        "set is_derived = true, n_audits = population_size where n_audits > 0",
        {"derived_frames_are_no_samples"},
    ),
    "audits_that_name_nobody": (
        f"update {AUDITS} set auditor_key = null",
        {"audits_name_their_auditor"},
    ),
    "a_policy_that_is_its_own_ancestor": (
        "update staging.stg_policies set parent_policy_id = 'hate.slurs' where policy_id = 'hate'",
        {"policies_climb_to_a_top"},
    ),
    "an_auditor_with_one_truth_for_all": (
        f"update {AUDITS} set n_correct = 0, error_class = 'wrong_selection', "
        "n_false_positive = 0, n_false_negative = 0, n_wrong_selection = 1, n_technical = 0, "
        "auditor_key = 'one' "
        "where is_counted and has_enforced and audit_id like '%1'",
        {"errors_are_found_as_elsewhere", WATCHED},
    ),
    "errors_that_are_revised_away": (
        "insert into staging.stg_audits select * replace (revision_no + 1 as revision_no, "
        "decided_action_code as truth_action_code, decided_policy_id as truth_policy_id) "
        "from staging.stg_audits where audit_status = 'final' and revision_no = 1 "
        "and truth_action_code <> decided_action_code",
        {"errors_are_not_revised_away", "revisions_follow_each_other"},
    ),
    "raters_who_copy": (
        "update staging.stg_calibration_ratings set action_code = 'remove', policy_id = 'hate'",
        {"nobody_is_always_right"},
    ),
    "raters_who_do_not_answer": (
        "update staging.stg_calibration_ratings set action_code = null",
        {"ratings_and_answers_are_given"},
    ),
    "golden_keys_that_nobody_passes": (
        "update staging.stg_golden_results set true_action_code = 'ban' "
        "where answer_action_code <> 'ban'",
        {"golden_keys_can_be_passed"},
    ),
    "a_language_that_auditors_pass_over": (
        f"update {CELLS} set n_audits = 0 where dimension_name = 'language' and dimension_value = "
        f"(select dimension_value from {CELLS} where dimension_name = 'language' "
        "group by all order by sum(n_audits) desc, 1 limit 1)",
        {"audits_are_chosen_by_chance"},
    ),
    "a_flag_that_nobody_fills": (
        f"update {AUDITS} set is_technical_error = null",
        {"flags_are_filled"},
    ),
    "a_stratum_that_no_frame_has": (
        f"update {CELLS} set stratum_key = null where stratum_key like '%not_enforced%' "
        "and exclusion_reason is null",
        {"decisions_are_in_a_stratum", "cells_are_unique"},
    ),
    "a_frame_of_another_population": (
        update("reconciliation.frame_reconciled", "is_within_tolerance = false", "true"),
        {"strata_sum_to_the_frame"},
    ),
    "a_frame_that_was_not_compared": (
        update("reconciliation.frame_reconciled", "is_within_tolerance = null", "true"),
        {"strata_sum_to_the_frame"},
    ),
    # The quality of quality.
    "a_score_twice": (repeat(SCORES), {"quality_scores_are_unique"}),
    "a_score_above_one": (
        update(SCORES, "estimate = 1.5", "n > 5"),
        {"quality_scores_are_shares"},
    ),
    "a_score_reportable_on_few_reviews": (
        update(SCORES, "is_reportable = true, reason_code = null", "n between 2 and 9"),
        {"reportable_scores_have_enough_reviews"},
    ),
    "an_automatic_fail_that_helps": (
        update(SCORES, "score_without_fails = estimate - 0.1", "n > 5 and estimate > 0.5"),
        {"quality_scores_are_shares"},
    ),
    "a_score_of_nothing": (
        update(SCORES, "estimate = 0", "n = 0"),
        {"a_missing_score_says_why"},
    ),
    "a_corrected_accuracy_twice": (repeat(CORRECTED), {"corrected_accuracy_is_unique"}),
    "a_corrected_accuracy_above_one": (
        update(CORRECTED, "estimate = 1.2", "estimate is not null"),
        {"corrected_accuracy_is_a_share"},
    ),
    "an_accuracy_corrected_without_audits": (
        update(CORRECTED, "estimate = 0.5", "accuracy is null"),
        {"corrected_accuracy_is_refused_or_says_why"},
    ),
    "a_refusal_without_a_reason": (
        update(CORRECTED, "reason_code = null", "accuracy is null"),
        {"corrected_accuracy_is_refused_or_says_why"},
    ),
    "a_gap_twice": (repeat(GAPS), {"calibration_gaps_are_unique"}),
    "a_gap_of_the_other_sign": (
        update(GAPS, "estimate = -estimate", "n_people >= 3 and estimate > 0"),
        {"a_gap_is_rater_less_benchmark"},
    ),
    "a_gap_beside_its_interval": (
        update(GAPS, "ci_low = estimate + 1", "n_people >= 3 and estimate > 0"),
        {"a_gap_is_rater_less_benchmark"},
    ),
    "a_gap_reportable_without_an_interval": (
        update(
            GAPS,
            "is_reportable = true, reason_code = null, n = 5",
            "reason_code = 'too_few_cases'",
        ),
        {"reportable_gaps_have_enough_ratings"},
    ),
    "one_rater_shown": (
        update(GAPS, "estimate = 0", "n_people = 1"),
        {"raters_are_not_singled_out"},
    ),
    "a_gap_of_a_person_twice": (repeat(GAP), {"calibration_gaps_by_person_are_unique"}),
    "a_gap_of_a_person_of_the_other_sign": (
        update(GAP, "estimate = -estimate", "estimate > 0"),
        {"a_gap_of_a_person_is_rater_less_benchmark"},
    ),
    "a_rater_reportable_without_a_reason_not_to_be": (
        update(GAP, "is_reportable = true", "n >= 3 and not is_reportable"),
        {"reportable_gaps_of_a_person_have_enough_ratings", "no_rater_is_ranked_on_little"},
    ),
    "a_rater_ranked_on_little": (
        update(GAP, "is_rankable = true", "n < 100"),
        {"no_rater_is_ranked_on_little"},
    ),
    "a_golden_item_twice": (repeat(GOLDEN), {"golden_items_are_unique"}),
    "a_golden_item_passed_more_than_answered": (
        update(GOLDEN, "n_successes = n + 1", "n_successes > 0"),
        {"golden_items_add_up"},
    ),
    "a_golden_item_of_few_people_shown": (
        update(
            GOLDEN,
            "is_reportable = false, reason_code = 'suppressed_small_group', n = null, "
            "n_successes = null, estimate = null, ci_low = null, ci_high = null",
            "n > 0",
        ),
        {"reportable_golden_items_have_enough_answers"},
    ),
    "a_golden_item_reportable_on_few_answers": (
        update(GOLDEN, "is_reportable = true, reason_code = null", "n < 30"),
        {"reportable_golden_items_have_enough_answers"},
    ),
    "a_suspected_key_that_was_passed": (
        update(GOLDEN, "is_bad_key = true", "n_successes > 0"),
        {"golden_items_add_up"},
    ),
    "a_key_that_contradicts_itself": (
        update(GOLDEN, "n_keys = 2", "true"),
        {"golden_keys_do_not_contradict_themselves"},
    ),
    "a_cell_of_shares_twice": (repeat(SHARE_CELLS), {"quality_cells_are_unique"}),
    "more_in_the_numerator_than_there_is": (
        update(SHARE_CELLS, "n_successes = n + 1", "n > 0 and metric_id = 'auditor_accuracy'"),
        {"quality_cells_are_shares"},
    ),
    "a_cell_without_a_numerator": (
        update(SHARE_CELLS, "n_successes = null", "n > 0 and metric_id = 'auditor_accuracy'"),
        {"quality_cells_are_shares"},
    ),
    "a_person_who_did_nothing": (
        update(SHARE_CELLS, "person_key = 'x'", "n = 0"),
        {"quality_cells_are_shares"},
    ),
    "a_dispute_counted_twice": (
        update(
            SHARE_CELLS,
            "n = n + 1",
            "metric_id = 'dispute_pending_share' and period_type = 'quarter' "
            "and dimension_name = 'overall' and n > 0",
        ),
        {"disputes_are_all_in_the_rates"},
    ),
    "disputes_that_are_not_counted": (
        f"update {SHARE_CELLS} set n = null where metric_id = 'dispute_pending_share' "
        "and period_type = 'quarter' and dimension_name = 'overall' and n > 0",
        {"disputes_are_all_in_the_rates", "quality_cells_are_shares"},
    ),
    "a_share_twice": (repeat(SHARES), {"quality_rates_are_unique"}),
    "a_share_beside_its_interval": (
        update(SHARES, "ci_low = estimate + 0.01", "is_reportable and ci_low is not null"),
        {"a_share_is_inside_its_interval"},
    ),
    "a_share_of_another_numerator": (
        update(SHARES, "n_successes = n_successes - 1", "is_reportable and n_successes > 0"),
        {"a_share_is_inside_its_interval"},
    ),
    "a_share_without_an_interval": (
        update(SHARES, "ci_low = null", "is_reportable and ci_low is not null"),
        {"a_share_is_inside_its_interval"},
    ),
    "a_share_of_nothing": (
        update(SHARES, "estimate = 0", "n = 0"),
        {"a_share_is_inside_its_interval"},
    ),
    "a_share_of_one_person_shown": (
        update(SHARES, "n = 1", "n_people = 1"),
        {"few_people_are_not_singled_out"},
    ),
    "a_share_shown_that_leads_to_another": (
        update(SHARES, "n = 1", "reason_code = 'suppressed_complementary'"),
        {"few_people_are_not_singled_out"},
    ),
    "a_share_reportable_on_few_cases": (
        update(SHARES, "is_reportable = true, reason_code = null", "reason_code = 'too_few_cases'"),
        {"reportable_shares_have_enough_cases"},
    ),
    "a_share_of_a_person_twice": (
        repeat(SHARES_OF_PEOPLE),
        {"quality_rates_by_person_are_unique"},
    ),
    "a_share_of_a_person_beside_its_interval": (
        update(SHARES_OF_PEOPLE, "ci_high = estimate - 0.01", "ci_high is not null"),
        {"a_share_of_a_person_is_inside_its_interval"},
    ),
    "a_person_ranked_on_little": (
        update(SHARES_OF_PEOPLE, "is_rankable = true", "n < 100"),
        {"nobody_is_ranked_or_reported_on_little"},
    ),
    "a_person_reportable_on_little": (
        update(
            SHARES_OF_PEOPLE,
            "is_reportable = true, reason_code = null",
            "reason_code = 'too_few_cases'",
        ),
        {"nobody_is_ranked_or_reported_on_little"},
    ),
    "operations_twice": (repeat(OPERATIONS), {"audit_operations_are_unique"}),
    "more_audited_than_there_is": (
        update(
            OPERATIONS,
            "n_audited_decisions = n_eligible_decisions + 1, n_audits = n_eligible_decisions + 1",
            "n_audits > 0",
        ),
        {"audited_decisions_are_eligible_decisions"},
    ),
    "audits_without_a_turnaround": (
        update(OPERATIONS, "turnaround_seconds_median = null", "n_audits > 0"),
        {"audited_decisions_are_eligible_decisions"},
    ),
    "operations_of_few_people": (
        update(OPERATIONS, "reason_code = 'suppressed_small_group'", "n_audits > 0"),
        {
            "audited_decisions_are_eligible_decisions",
            "operations_of_suppressed_groups_are_not_shown",
        },
    ),
    "a_plan_twice": (repeat(COMPLETION), {"audit_completion_is_unique"}),
    "a_planned_audit_that_is_nowhere": (
        update(COMPLETION, "n_not_begun = n_not_begun + 1", "true"),
        {"planned_audits_add_up"},
    ),
    "more_audits_count_than_are_final": (
        update(COMPLETION, "n_counted = n_final + 1", "n_planned > 0"),
        {"planned_audits_add_up"},
    ),
    # What people open first.
    "no_headlines": (f"delete from {HEADLINE}", {"there_are_headlines"}),
    "a_rate_compared_twice": (
        repeat("restricted.int_report__compared"),
        {"rates_are_compared_once"},
    ),
    "more_weeks_below_target_than_compared": (
        update(
            "restricted.int_report__compared",
            "n_periods_below_target = n_periods_compared + 1",
            "n_periods_compared is not null",
        ),
        {"no_more_periods_are_below_target_than_compared"},
    ),
    "a_headline_twice": (repeat(HEADLINE), {"headlines_are_unique"}),
    "a_verdict_on_what_is_not_reportable": (
        update(HEADLINE, "target_status = 'below'", "not is_reportable"),
        {"what_is_not_reported_says_why_in_a_sentence"},
    ),
    "a_reason_without_a_sentence": (
        update(HEADLINE, "reason = null", "not is_reportable"),
        {"what_is_not_reported_says_why_in_a_sentence"},
    ),
    "a_cell_of_the_cube_twice": (repeat(CUBE), {"cube_cells_are_there_once"}),
    "a_withheld_cell_that_is_shown": (
        update(CUBE, "n_correct = 0", "is_withheld"),
        {"cells_of_the_cube_are_withheld_whole"},
    ),
    "a_cell_of_the_cube_without_its_audits": (
        update(CUBE, "n_audits = null", "not is_withheld"),
        {"cells_of_the_cube_are_withheld_whole"},
    ),
    "a_cell_of_a_metric_twice": (
        repeat("report.metric_cube"),
        {"cells_of_metrics_are_there_once"},
    ),
    "more_than_is_at_stake": (
        update(
            "report.metric_cube",
            "weighted_numerator = 2 * weighted_denominator",
            "weighted_denominator > 0",
        ),
        {"a_metric_keeps_at_most_what_is_at_stake"},
    ),
    "a_cell_of_people_twice": (repeat(CUBE_CELLS), {"cube_cells_are_unique"}),
    "a_cell_withheld_twice": (repeat(WITHHELD_CELLS), {"cube_withholds_a_cell_once"}),
    "a_merged_cell_twice": (
        repeat("restricted.int_report__cube_merged"),
        {"cube_merges_a_cell_once"},
    ),
    "a_target_twice": (repeat("report.queue_targets"), {"queue_targets_are_unique"}),
    "audits_due_twice": (repeat(DUE), {"audits_due_are_unique"}),
    "done_with_audits_missing": (
        update(DUE, "due_status = 'done'", "n_missing > 0"),
        {"audits_are_due_or_done"},
    ),
    # Operations.
    "a_job_twice": (
        repeat(JOBS, "left_out_reason is null"),
        {"fct_jobs_are_unique", IN_BACKLOG, IN_WAITS},
    ),
    "an_open_job_that_was_decided": (
        update(JOBS, "closed_how = 'decided'", "is_open"),
        {"jobs_are_open_or_have_ended"},
    ),
    "a_job_left_out_for_a_reason_of_no_seed": (
        update(
            JOBS,
            "left_out_reason = 'because', verdict = null, wait_seconds = null",
            "not is_open and left_out_reason is null",
        ),
        {"reasons_of_jobs_are_registered", IN_BACKLOG, IN_WAITS},
    ),
    "a_turnaround_twice": (
        repeat(
            TURNAROUND, "metric_id = 'turnaround_median' and dimension_name = 'queue' and n > 0"
        ),
        {"turnarounds_are_unique", IN_WAITS},
    ),
    "a_median_below_its_interval": (
        update(TURNAROUND, "ci_low = estimate + 1", f"metric_id = 'turnaround_p90' and {HAS_ENDS}"),
        {"an_estimate_is_in_its_interval_or_says_why_not"},
    ),
    "a_median_of_no_reason_that_is_missing": (
        update(TURNAROUND, "estimate = null", f"metric_id = 'turnaround_p90' and {HAS_ENDS}"),
        {"an_estimate_is_in_its_interval_or_says_why_not", "jobs_are_open_or_ended_in_each_row"},
    ),
    "more_decided_than_ended": (
        update(TURNAROUND, "n_decided = n_ended + 1", "metric_id = 'turnaround_median'"),
        {"jobs_are_open_or_ended_in_each_row"},
    ),
    "a_job_of_one_language_too_many": (
        update(
            TURNAROUND,
            "n = n + 1, n_open = n_open + 1",
            "metric_id = 'turnaround_p90' and dimension_name = 'language'",
        ),
        {IN_WAITS},
    ),
    "a_day_of_a_queue_twice": (
        repeat(BACKLOG, "dimension_name = 'queue' and n_in > 0"),
        {"backlogs_are_unique", IN_BACKLOG},
    ),
    "a_quiet_day_that_is_missing": (
        f"delete from {BACKLOG} where dimension_name = 'queue' and calendar_date = "
        f"(select max(calendar_date) - 3 from {BACKLOG})",
        {IN_BACKLOG},
    ),
    "an_end_that_is_in_no_way": (
        update(BACKLOG, "n_decided = n_decided + 1", "dimension_name = 'queue'"),
        {"what_goes_out_is_the_sum_of_its_ways"},
    ),
    "a_backlog_that_forgets_a_job": (
        update(BACKLOG, "backlog_as_known = -1", "dimension_name = 'overall'"),
        {"what_goes_out_is_the_sum_of_its_ways", IN_BACKLOG},
    ),
    "a_workload_twice": (repeat(WORKLOAD), {"workloads_are_unique"}),
    "speed_without_accuracy": (
        update(WORKLOAD, "accuracy_of = null", "handling_seconds_mean is not null"),
        {"speed_stands_beside_accuracy"},
    ),
    "skips_of_few_people": (
        update(WORKLOAD, "reason_code = 'suppressed_small_group'", "n_skips is not null"),
        {"workload_of_few_people_is_not_shown"},
    ),
    "more_measured_than_decided": (
        update(WORKLOAD, "share_measured = 1.5", "share_measured is not null"),
        {"work_is_part_of_its_time"},
    ),
    "an_exposure_twice": (repeat(EXPOSURE), {"exposures_are_unique"}),
    "exposure_of_four": (
        update(EXPOSURE, "n_people = 4", "n_people is not null"),
        {"exposure_is_of_enough_people"},
    ),
    "a_day_of_a_person_twice": (repeat(EXPOSED), {"exposures_of_people_are_unique"}),
    "an_item_of_no_severity": (
        update(EXPOSED, "n_items = n_items + 1", "true"),
        {"exposure_of_a_person_adds_up"},
    ),
    "a_week_of_workload_that_nobody_knows": (
        update(WORKLOAD, "period_ends_on = period_starts_on", "true"),
        {KNOWN_PERIODS},
    ),
    "a_turnaround_missing_for_a_reason_of_no_seed": (
        update(
            TURNAROUND, "reason_code = 'because'", f"metric_id = 'turnaround_p90' and {HAS_ENDS}"
        ),
        {"an_estimate_is_in_its_interval_or_says_why_not", "reasons_are_registered"},
    ),
    "nothing_said_of_any_feed": (
        f"delete from {FEED_ALARMS}",
        {"every_feed_is_judged_or_learnt"},
    ),
    "an_audit_in_two_queues": (
        repeat("cells.audit_slices", "dimension_name = 'queue'"),
        {"audit_slices_are_unique", WATCHED},
    ),
    "an_audit_that_nobody_watches": (
        "delete from cells.audit_slices where audit_id in "
        "(select audit_id from cells.audit_slices order by audit_id limit 1)",
        {WATCHED},
    ),
    "a_day_of_a_slice_twice": (
        repeat("cells.slice_days"),
        {"slice_days_are_unique", WATCHED},
    ),
    "an_alert_twice": (alert() + alert(), {"alerts_are_unique"}),
    "an_alert_below_its_threshold": (
        alert(z="2"),
        {"alerts_are_beyond_their_threshold"},
    ),
    "an_alert_of_four_people": (
        alert(n_people="4"),
        {"alerts_are_beyond_their_threshold"},
    ),
    "an_alert_of_a_kind_that_nobody_knows": (
        alert(suspected_kind="'because'"),
        {"kinds_of_alarms_are_registered"},
    ),
    "an_alert_that_nothing_leads": (
        alert(incident_id="'another'"),
        {"alarms_lead_to_one_that_leads"},
    ),
    "a_candidate_twice": (candidate() + candidate(), {"alert_drivers_are_unique"}),
    "a_candidate_that_explains_and_is_no_driver": (
        candidate(explained_share="0.4"),
        {"drivers_alone_explain"},
    ),
    "a_slice_twice": (repeat(MONITORED), {"monitored_slices_are_unique"}),
    "a_slice_that_says_nothing": (
        update(MONITORED, "reason_code = null", "detectable_ratio_28_days is null"),
        {"slices_say_what_they_could_show"},
    ),
    "an_alarm_twice": (repeat(FEED_ALARMS), {"alarms_of_feeds_are_unique"}),
    "an_alarm_on_the_wrong_side": (
        update(FEED_ALARMS, "z = -z", "alarm_kind <> 'learning'"),
        {"alarms_of_feeds_are_far_from_usual"},
    ),
    "a_week_charted_twice": (repeat(CHARTS), {"control_charts_are_unique"}),
    "a_week_on_a_chart_that_is_not_reported": (
        update(CHARTS, "dimension_value = 'withheld'", "true"),
        {"charted_weeks_are_reportable"},
    ),
    "a_limit_beyond_the_centre": (
        update(CHARTS, "p_low = centre + 0.01", "true"),
        {"limits_are_around_the_centre"},
    ),
    "a_plan_of_unknown_size_completed": (
        update(COMPLETION, "n_planned = null", "completion_rate > 0"),
        {"planned_audits_add_up"},
    ),
}


@pytest.fixture(scope="session")
def compiled_tests(platform):
    """{name: the SQL that dbt ran} of the tests on marts and reconciliation, and the identities."""
    results = json.loads((platform.folder / "target" / "run_results.json").read_text())["results"]
    nodes = platform.parsed.nodes
    # Steps are guarded by the marts that read them, but for those that decide what is hidden.
    unguarded = re.compile(r"models/(connectors|sources|staging)/|/int_(?!reconc|report)|seeds/")
    return {
        nodes[result["unique_id"]]["name"]: result["compiled_code"]
        for result in results
        if result["unique_id"].startswith("test.")
        and not unguarded.search(nodes[result["unique_id"]]["original_file_path"])
        # It reads the raw files, where a warehouse cannot be broken; test_cases has its cases.
        and nodes[result["unique_id"]]["name"] != "names_are_spelt_one_way"
    }


@pytest.fixture(scope="module")
def warehouse(platform, tmp_path_factory):
    """A copy of the built warehouse, its tables without the constraints of their contracts.

    DuckDB would refuse some of the mutations; another engine takes them, and so do the tests.
    """
    copy = tmp_path_factory.mktemp("identities") / "warehouse.duckdb"
    shutil.copy(platform.warehouse, copy)
    with duckdb.connect(copy) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        for (table,) in tables:
            # In one order, whatever the build did: a mutation takes the first row that it can.
            connection.execute(f"create temp table copied as from {table} order by all")
            connection.execute(f"create or replace table {table} as from copied")
            connection.execute("drop table copied")
        yield connection


@pytest.fixture(scope="module")
def readers(warehouse, compiled_tests):
    """A function that gives the tests whose SQL reads a table, itself or through views."""
    views = {
        f"{schema}.{name}": sql
        for schema, name, sql in warehouse.execute(
            "select schema_name, view_name, sql from duckdb_views() where not internal"
        ).fetchall()
    }

    def relations(sql):
        named = {f"{schema}.{name}" for schema, name in RELATION.findall(sql)}
        # A view's own text begins with its name.
        inside = [relations(views[name].partition(" AS ")[2]) for name in named & views.keys()]
        return named.union(*inside)

    read_by = {name: relations(sql) for name, sql in compiled_tests.items()}
    assert all(read_by.values()), "a test that reads nothing could not fail"
    return lambda table: {name for name, tables in read_by.items() if table in tables}


def failing(connection, tests):
    return {
        name
        for name, sql in tests.items()
        if connection.execute(f"select count(*) from ({sql}) as failed").fetchone()[0]
    }


def test_all_pass_on_what_was_built(warehouse, compiled_tests):
    assert failing(warehouse, compiled_tests) == set()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_mart_fails_the_tests_that_guard_it(warehouse, compiled_tests, readers, name):
    sql, expected = MUTATIONS[name]
    (table,) = re.findall(r"^(?:update|insert into|delete from) (\w+\.\w+)", sql)
    asked = {name: compiled_tests[name] for name in readers(table)}
    warehouse.execute("begin")
    try:
        ((n_changed,),) = warehouse.execute(sql).fetchall()
        assert n_changed > 0, "the mutation changes nothing"
        assert failing(warehouse, asked) == expected
    finally:
        warehouse.execute("rollback")


@pytest.mark.deep
def test_a_test_that_does_not_read_a_table_is_not_failed_by_it(warehouse, compiled_tests, readers):
    """That only the readers of a table need to be asked, asked of all: a mutation of each table."""
    of_table = {}
    for sql, expected in MUTATIONS.values():
        of_table[re.search(r"\w+\.\w+", sql).group()] = sql, expected
    assert len(of_table) > 30
    for table, (sql, expected) in of_table.items():
        assert expected <= readers(table)
        warehouse.execute("begin")
        warehouse.execute(sql)
        assert failing(warehouse, compiled_tests) == expected, table
        warehouse.execute("rollback")


def test_every_test_on_the_marts_has_a_mutation(compiled_tests):
    broken = set().union(*(expected for _, expected in MUTATIONS.values()))
    assert {path.stem for path in IDENTITIES.glob("*.sql")} <= set(compiled_tests)
    assert set(compiled_tests) - broken == set()


@pytest.mark.parametrize(
    ("columns", "known", "others"),
    [
        # What is compared may be of a plan's period, which is no period of a mart.
        ({"period_type", "period_ends_on"}, "dim_periods", {"reconciliation_checks"}),
        ({"reason_code"}, "reasons", set()),
    ],
    ids=["periods", "reasons"],
)
def test_each_open_mart_is_asked_for_its_periods_and_reasons(
    parsed_project, columns, known, others
):
    """By the identity of all marts, or by a test of its own."""
    nodes = parsed_project.nodes.values()
    asked = set()
    for node in nodes:
        read = {parent.split(".")[-1] for parent in node["depends_on"].get("nodes", [])}
        if node["resource_type"] == "test" and known in read:
            asked |= read
    marts = {
        node["name"]
        for node in nodes
        if node["resource_type"] == "model"
        and node["config"]["meta"].get("readers") == "everybody"
        and columns <= node["columns"].keys()
    }
    assert len(marts) > 10
    assert marts - asked == others


def test_dbt_fails_on_a_broken_warehouse_and_names_the_identities(platform, new_project):
    batch = [
        "an_audit_that_never_reached_the_mart",
        "a_weight_too_large",
        "excluded_audits_without_a_reason",
        "shares_that_do_not_sum_to_one",
    ]
    project = new_project()
    shutil.copy(platform.warehouse, project.warehouse)
    project.raw.symlink_to(platform.raw)
    with duckdb.connect(project.warehouse) as warehouse:
        for name in batch:
            warehouse.execute(MUTATIONS[name][0])
    run = project.dbt("test", "--select", "path:tests/identities")
    expected = set().union(*(MUTATIONS[name][1] for name in batch))
    assert run.returncode == 1
    assert run.statuses.keys() == {path.stem for path in IDENTITIES.glob("*.sql")}
    assert {name for name, told in run.statuses.items() if told == "fail"} == expected
    assert {name for name, told in run.statuses.items() if told == "pass"} == (
        run.statuses.keys() - expected
    )
    for name in expected:
        assert f"FAIL {name}" in run.stdout
    assert "What to do" in run.stdout
