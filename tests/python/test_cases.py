"""Faults that people reported in public, as small inputs: what the layer says of each, or gives.

A case is a folder of ../shared/cases. Its expected.json says what is right and what is acceptable;
here is which of it the layer does.
"""

from dataclasses import dataclass, field

import pytest
from projects import ROOT

CASES = ROOT.parent / "shared" / "cases"
if not CASES.exists():
    pytest.skip("the cases of ../shared are not here", allow_module_level=True)


@dataclass(frozen=True)
class Case:
    """What must be said, in this order; what must be published; whether anything may be built."""

    says: list[str] = field(default_factory=list)
    gives: dict[str, list[tuple]] = field(default_factory=dict)
    stops: bool = False
    fails: set[str] = field(default_factory=set)
    warns: set[str] = field(default_factory=set)
    # What is built; what is said before the build is said of any.
    selected: str = "stg_queues"
    variables: str = "{}"


OF_RATES = "+accuracy_rates"
OVERALL = (
    "from rates.accuracy_rates where metric_id = 'accuracy' and metric_version = 1 "
    "and dimension_name = 'overall' "
    "and period_type ="
)
DAYS = (
    "select period_starts_on::varchar, n_eligible_decisions from cells.accuracy_population "
    "where dimension_name = 'overall' and period_type = 'day' order by 1"
)


def rate(expected, week="2026-03-02"):
    """The accuracy of a week: a query and its answer."""
    return {
        f"select round(estimate, 6) {OVERALL} 'week' and period_starts_on = '{week}'": [(expected,)]
    }


EXPECTED = {
    "column_renamed_in_a_later_file": Case(
        says=[
            "audits.truth_policy_id is not in 1 of 2 files, and NULL there:",
            "audits/2026-03-b.csv (which has true_policy_id)",
        ]
    ),
    "disputes_compressed": Case(
        says=["data/raw/disputes.csv.gz is not read. It looks like disputes"]
    ),
    "epoch_milliseconds": Case(
        says=["decisions.decided_at: 24 values cannot be read as timestamp (they are bigint)"],
        stops=True,
    ),
    "frame_smaller_than_sample": Case(
        fails={"no_stratum_has_more_audits_than_decisions", "weights_are_at_least_one"},
        selected=OF_RATES,
    ),
    "header_with_a_space": Case(
        says=["audits.is technical error: is not read, and is_technical_error is absent"],
        stops=True,
    ),
    "ids_in_scientific_notation": Case(
        fails={"decisions_have_the_required_values", "audits_have_the_required_values"},
        selected=OF_RATES,
    ),
    "leap_second": Case(
        says=["review_jobs.enqueued_at: 1 values", '"2016-12-31 23:59:60"'], stops=True
    ),
    "nan_in_a_scorecard": Case(
        fails={"audit_scores_are_on_their_scale"}, selected="+int_scores__ratings"
    ),
    "offset_in_text": Case(
        gives={
            DAYS: [*((f"2026-03-0{n}", 5) for n in range(2, 6)), ("2026-03-06", 4)],
            f"select round(estimate, 6) {OVERALL} 'day' and period_starts_on = '2026-03-02'": [
                (0.666667,)
            ],
        },
        selected=OF_RATES,
        variables="daily_dimensions: [overall]",
    ),
    "one_rater_two_spellings": Case(
        warns={"names_are_spelt_one_way"}, selected="names_are_spelt_one_way"
    ),
    "one_row_too_wide": Case(
        says=["audits: data/raw/audits.csv, line 5 has 19 fields, the header 18"], stops=True
    ),
    "partitioned_by_region": Case(
        says=["review_jobs.region is only in the names of folders (region=, 2 files)"]
    ),
    "person_ids_as_floats": Case(
        fails={"people_are_on_the_roster"}, selected="+people_are_on_the_roster"
    ),
    "policy_spelled_two_ways": Case(fails={"audits_find_a_known_policy_right"}, selected=OF_RATES),
    "postgres_infinity": Case(gives=rate(0.75), selected=OF_RATES),
    "soft_deleted_rows": Case(says=["audits._fivetran_deleted: marks rows as deleted"], stops=True),
    "title_above_the_header": Case(gives=rate(0.75), selected=OF_RATES),
    "two_systems_same_ids": Case(fails={"decisions_are_not_contradicted"}, selected=OF_RATES),
    "unequal_chances": Case(fails={"chances_are_equal_within_a_stratum"}, selected=OF_RATES),
    "utf16_export": Case(says=["disputes: data/raw/disputes.csv is not UTF-8"], stops=True),
    "week_fifty_three": Case(gives=rate(0.75, week="2020-12-28"), selected=OF_RATES),
    "words_for_booleans": Case(gives=rate(0.666667), selected=OF_RATES),
}


def test_every_case_is_held():
    assert {folder.parent.name for folder in CASES.glob("*/expected.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_case(new_project, name):
    case = EXPECTED[name]
    project = new_project()
    project.raw.symlink_to(CASES / name / "raw")
    run = project.build("--select", case.selected, "--vars", case.variables)
    said = " ".join(run.stdout.split())
    for part in case.says:
        assert part in said, run.stdout
    # A message of the layer's own, not the engine's or Python's.
    assert "Traceback" not in run.stdout
    assert "Database Error" not in run.stdout
    failed = {test for test, status in run.statuses.items() if status in ("fail", "error")}
    warned = {test for test, status in run.statuses.items() if status == "warn"}
    if case.stops:
        assert run.returncode == 2
        assert project.tables() == set()
    else:
        assert failed >= case.fails, run.stdout
        assert warned >= case.warns, run.stdout
        assert case.fails or not failed, run.stdout
    for query, expected in case.gives.items():
        assert list(project.query(query).itertuples(index=False, name=None)) == expected, query
