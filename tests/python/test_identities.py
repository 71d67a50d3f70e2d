"""Every test on the marts fails when what it guards is broken, and names what is broken.

A warehouse is built once. Each mutation corrupts it inside a transaction and is rolled back; the
SQL that dbt compiled for every test is run in between, and must tell exactly the tests that are
named here. Last, dbt itself runs the identities on a warehouse with several mutations.
"""

import json
from pathlib import Path

import duckdb
import pytest
import simulate as simulator
from simulator.world import Settings

IDENTITIES = Path(__file__).parents[1] / "identities"

RATES = "accuracy.accuracy_rates"
CELLS = "accuracy.accuracy_cells"
DECISIONS = "core.fct_decisions"
AUDITS = "core.fct_audits"
POLICIES = "accuracy.policy_rates"
CONFUSION = "accuracy.policy_confusion"
PARETO = "accuracy.error_pareto"
OVERTURNED = "accuracy.overturned_decisions"

# Names of identities that several mutations break.
ALL_IN = "decisions_and_audits_are_all_in_the_rates"
WEIGHTS = "weights_sum_to_the_covered_strata"
REASONS = "excluded_counts_match_their_reasons"
CLASSES = "error_classes_sum_to_audits"
PARTS = "parts_of_a_dimension_sum_to_the_whole"
DAYS = "days_sum_to_weeks_and_months"
SUMS = "pareto_and_confusion_sum_to_the_whole"
MATCHED = "counted_audits_match_their_decision"


def one_row(table, condition):
    """A predicate that holds for one row of a table, always the same."""
    return f"rowid = (select min(rowid) from {table} where {condition})"


def update(table, change, condition):
    return f"update {table} set {change} where {one_row(table, condition)}"


def repeat(table, condition="true", change=""):
    """Insert one row again, with a change."""
    columns = f"* replace ({change})" if change else "*"
    return f"insert into {table} select {columns} from {table} where {one_row(table, condition)}"


A_QUEUE = "metric_id = 'accuracy' and period_type = 'week' and dimension_name = 'queue'"
A_QUEUE_WITH_AUDITS = f"{A_QUEUE} and n_audits > 1 and n_excluded_audits > 0"
NO_AUDIT = "metric_id = 'accuracy' and n_audits = 0 and unweighted_n = 0"
REPORTABLE = "metric_id = 'accuracy' and is_reportable"

# What is done to the warehouse: (the SQL, the tests that must fail, and no others).
MUTATIONS = {
    # Identities: what adds up no longer does.
    "a_decision_that_never_reached_the_mart": (
        repeat("staging.base_decisions", change="'lost' as decision_id"),
        {ALL_IN},
    ),
    "an_audit_that_never_reached_the_mart": (
        repeat("staging.base_audits", change="'lost' as audit_id"),
        {ALL_IN},
    ),
    "a_month_without_its_count_of_audits": (
        f"update {RATES} set n_audits = null where period_type = 'month' "
        "and dimension_name = 'overall' and metric_id = 'accuracy'",
        {ALL_IN, PARTS, DAYS, "reportable_rates_have_enough_audits", "a_missing_rate_says_why"},
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
        {MATCHED},
    ),
    "audits_in_each_others_strata": (
        f"update {DECISIONS} set stratum_key = (select max(stratum_key) from {DECISIONS}) "
        "where stratum_key is not null",
        {MATCHED},
    ),
    "audits_of_decisions_that_are_gone": (
        f"delete from {DECISIONS} where is_eligible",
        {MATCHED},
    ),
    "a_row_recorded_in_the_future": (
        update("staging.stg_queues", "recorded_at = timestamp '2999-01-01'", "true"),
        {"as_of_is_not_in_the_future"},
    ),
    "excluded_audits_counted_under_another_reason": (
        update(
            RATES,
            "excluded_audits_by_reason = replace(excluded_audits_by_reason, '=', '=1')",
            A_QUEUE_WITH_AUDITS,
        ),
        {REASONS},
    ),
    "excluded_audits_without_a_reason": (
        update(RATES, "excluded_audits_by_reason = null", A_QUEUE_WITH_AUDITS),
        {REASONS},
    ),
    "excluded_decisions_without_a_reason": (
        update(
            RATES,
            "excluded_decisions_by_reason = null",
            "metric_id = 'accuracy' and n_excluded_decisions > 0",
        ),
        {REASONS},
    ),
    "excluded_audits_that_are_not_counted": (
        update(RATES, "n_excluded_audits = null", A_QUEUE_WITH_AUDITS),
        {REASONS, PARTS, DAYS},
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
        {REASONS, PARTS},
    ),
    "a_dimension_that_is_gone": (
        f"delete from {RATES} where dimension_name = 'site'",
        {PARTS},
    ),
    "a_day_that_is_gone": (
        f"delete from {RATES} where period_type = 'day' and period_starts_on = "
        f"(select median(period_starts_on)::date from {RATES} where period_type = 'day')",
        {REASONS, DAYS},
    ),
    "weeks_that_are_gone": (
        f"delete from {RATES} where period_type = 'week'",
        {DAYS},
    ),
    # The rates.
    "no_rates": (f"delete from {RATES}", {"there_are_rates", ALL_IN}),
    "a_rate_twice": (
        repeat(RATES, A_QUEUE_WITH_AUDITS),
        {REASONS, "rates_are_unique", CLASSES, PARTS, DAYS},
    ),
    "a_rate_of_no_period": (
        update(RATES, "period_starts_on = null", "metric_id = 'technical_error_rate'"),
        {"rates_are_unique", CLASSES, PARTS},
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
        update(RATES, "is_reportable = true", "n_audits = 5"),
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
        {"an_estimate_speaks_for_decisions_that_exist", PARTS},
    ),
    # What the rates are made of.
    "a_cell_twice": (repeat(CELLS, "exclusion_reason is null"), {"cells_are_unique"}),
    "a_cell_of_no_dimension_value": (
        update(CELLS, "dimension_value = null", "exclusion_reason is null"),
        {"cells_are_unique", "cells_have_a_dimension"},
    ),
    "a_population_twice": (
        repeat("accuracy.accuracy_population"),
        {"population_is_unique"},
    ),
    "an_estimate_twice": (repeat("accuracy.accuracy_estimates"), {"estimates_are_unique"}),
    "an_estimate_of_no_metric": (
        update("accuracy.accuracy_estimates", "metric_id = null", "true"),
        {"estimates_are_unique"},
    ),
    "a_decision_twice": (repeat(DECISIONS), {"fct_decisions_are_unique"}),
    "a_decision_without_an_id": (
        update(DECISIONS, "decision_id = null", "true"),
        {"fct_decisions_are_unique"},
    ),
    "a_decision_left_out_without_a_reason": (
        update(DECISIONS, "exclusion_reason = null", "not is_eligible"),
        {REASONS, "fct_decisions_are_eligible_or_have_a_reason"},
    ),
    "a_decision_that_is_in_and_out": (
        update(DECISIONS, "is_eligible = null", "true"),
        {"fct_decisions_are_eligible_or_have_a_reason"},
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
        {"counted_audits_have_a_weight_and_a_class"},
    ),
    "an_audit_correct_and_wrong": (
        update(AUDITS, "n_false_positive = 1", "n_correct = 1"),
        {"every_judged_audit_is_one_class"},
    ),
    "an_audit_whose_class_is_not_counted": (
        update(AUDITS, "n_correct = null", "n_correct = 1"),
        {"every_judged_audit_is_one_class"},
    ),
    # Policies, errors, overturns.
    "a_policy_cell_twice": (repeat("accuracy.policy_cells"), {"policy_cells_are_unique"}),
    "a_policy_confirmed_more_often_than_decided": (
        update("accuracy.policy_cells", "n_confirmed = n_decided + 1", "n_decided > 0"),
        {"policy_cells_hold_no_more_than_there_is"},
    ),
    "a_policy_rate_twice": (repeat(POLICIES), {"policy_rates_are_unique"}),
    "a_policy_rate_beside_its_interval": (
        update(POLICIES, "ci_high = estimate - 1e-6", "is_reportable and estimate > 0.1"),
        {"policy_rates_are_shares_inside_their_interval"},
    ),
    "a_policy_rate_missing_without_a_reason": (
        update(POLICIES, "estimate = null", "is_reportable"),
        {"a_missing_policy_rate_says_why"},
    ),
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
    "an_overturn_twice": (repeat(OVERTURNED), {"overturned_decisions_are_unique"}),
    "more_overturned_than_decided": (
        update(OVERTURNED, "n_overturned_decisions = n_eligible_decisions + 1", "true"),
        {"no_more_is_overturned_than_was_decided"},
    ),
    # Dimensions and reconciliation.
    "a_policy_twice": (repeat("core.dim_policies"), {"policies_are_unique"}),
    "a_queue_twice": (repeat("core.dim_queues"), {"queues_are_unique"}),
    "a_day_twice": (repeat("core.dim_calendar"), {"days_are_unique"}),
    "a_day_of_decisions_twice": (
        repeat("accuracy.accuracy_decisions_by_day"),
        {"days_of_decisions_are_unique"},
    ),
    "a_delivery_twice": (repeat("reconciliation.deliveries"), {"deliveries_are_unique"}),
    "a_person_twice": (repeat("restricted.dim_people"), {"people_are_unique"}),
    "a_row_lost_in_staging": (
        update("reconciliation.rows_accounted_for", "n_unaccounted = 1", "true"),
        {"no_row_is_lost_in_staging"},
    ),
    "rows_that_nobody_counted": (
        update("reconciliation.rows_accounted_for", "n_unaccounted = null", "true"),
        {"no_row_is_lost_in_staging"},
    ),
    "a_frame_of_another_population": (
        update("reconciliation.frame_reconciled", "is_within_tolerance = false", "true"),
        {"strata_sum_to_the_frame"},
    ),
    "a_frame_that_was_not_compared": (
        update("reconciliation.frame_reconciled", "is_within_tolerance = null", "true"),
        {"strata_sum_to_the_frame"},
    ),
}


@pytest.fixture(scope="module")
def project(new_project):
    """Six weeks of a simulated platform, built; every dbt test passes on it."""
    project = new_project()
    simulator.simulate(
        Settings(days=42, decisions_per_day=300, moderators=40, queues=4),
        project.folder / "data",
        workers=1,
    )
    run = project.build()
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture(scope="module")
def compiled_tests(project):
    """{name: the SQL that dbt ran} of the tests on marts and reconciliation, and the identities."""
    target = project.folder / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    results = json.loads((target / "run_results.json").read_text())["results"]
    guarded = ("models/marts/", "models/reconciliation/", "tests/identities/")
    return {
        nodes[result["unique_id"]]["name"]: result["compiled_code"]
        for result in results
        if result["unique_id"].startswith("test.")
        and nodes[result["unique_id"]]["original_file_path"].startswith(guarded)
    }


@pytest.fixture(scope="module")
def warehouse(project):
    """The built warehouse, writable, its tables without the constraints of their contracts.

    DuckDB would refuse some of the mutations; another engine takes them, and so do the tests.
    """
    with duckdb.connect(project.folder / "data" / "warehouse.duckdb") as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"create temp table copied as from {table}")
            connection.execute(f"create or replace table {table} as from copied")
            connection.execute("drop table copied")
        yield connection


def failing(connection, compiled_tests):
    return {
        name
        for name, sql in compiled_tests.items()
        if connection.execute(f"select count(*) from ({sql}) as failed").fetchone()[0]
    }


def test_all_pass_on_what_was_built(warehouse, compiled_tests):
    assert failing(warehouse, compiled_tests) == set()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_mart_fails_the_tests_that_guard_it(warehouse, compiled_tests, name):
    sql, expected = MUTATIONS[name]
    warehouse.execute("begin")
    try:
        ((n_changed,),) = warehouse.execute(sql).fetchall()
        assert n_changed > 0, "the mutation changes nothing"
        assert failing(warehouse, compiled_tests) == expected
    finally:
        warehouse.execute("rollback")


def test_every_test_on_the_marts_has_a_mutation(compiled_tests):
    broken = set().union(*(expected for _, expected in MUTATIONS.values()))
    assert {path.stem for path in IDENTITIES.glob("*.sql")} <= set(compiled_tests)
    assert set(compiled_tests) - broken == set()


def test_dbt_fails_on_a_broken_warehouse_and_names_the_identities(project, warehouse):
    batch = [
        "an_audit_that_never_reached_the_mart",
        "a_weight_too_large",
        "excluded_audits_without_a_reason",
        "shares_that_do_not_sum_to_one",
    ]
    for name in batch:
        warehouse.execute(MUTATIONS[name][0])
    # dbt needs the file; nothing uses this connection afterwards.
    warehouse.close()
    run = project.dbt("test", "--select", "path:tests/identities")
    results = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    status = {
        result["unique_id"].split(".")[2]: result["status"]
        for result in results
        if result["unique_id"].startswith("test.")
    }
    expected = set().union(*(MUTATIONS[name][1] for name in batch))
    assert run.returncode == 1
    assert status.keys() == {path.stem for path in IDENTITIES.glob("*.sql")}
    assert {name for name, told in status.items() if told == "fail"} == expected
    assert {name for name, told in status.items() if told == "pass"} == status.keys() - expected
    for name in expected:
        assert f"FAIL {name}" in run.stdout
    assert "What to do" in run.stdout
