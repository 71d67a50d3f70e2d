"""Reconciliation names what the simulator planted and no more, and a missing side never passes."""

import json
import shutil
from datetime import date

import duckdb
import pytest
import reconcile
import simulate
from click.testing import CliRunner
from projects import ROOT
from reconciling import checks
from reconciling.rows import compare_rows
from simulator.world import Settings

# What a planted incident is called where it is found. The others change numbers and lose no row.
NAMED = {
    "day_missing": "missing_day",
    "submission_gap": "missing_day",
    "bulk_close": "bulk_close",
    "field_lost": "broken_feed",
    "no_reversal": "lost_restores",
}
OPTIONAL = {
    *("decisions_to_policies", "appeals_to_decisions", "grants_to_reversals"),
    *("reversals_to_grants", "decisions_to_statements", "control_totals"),
    "control_parts_to_total",
}


def planted(data):
    """{(kind, first day, last day)} of the incidents that reconciliation can see."""
    rows = duckdb.sql(
        f"select kind, cast(starts_at as date), cast(ends_at as date) - 1 "
        f"from '{data / 'truth' / 'incidents.parquet'}'"
    ).fetchall()
    seen = {row for row in rows if row[0] in NAMED.values()}
    # A small world does not grant an appeal every day.
    for kind, first, last in [row for row in seen if row[0] == "lost_restores"]:
        ((*granted,),) = duckdb.sql(
            f"select cast(min(decided_at) as date), cast(max(decided_at) as date) "
            f"from '{data}/raw/appeals/*.parquet' where outcome = 'granted' "
            f"and cast(decided_at as date) between '{first}' and '{last}'"
        ).fetchall()
        seen -= {(kind, first, last)}
        seen |= {(kind, *granted)} - {(kind, None, None)}
    return seen


def named(warehouse):
    """{(kind, first day, last day)} of the breaks; a reason of no kind goes by its own name."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        found = [
            (NAMED.get(event.reason_code, event.reason_code), event.first_day, event.last_day)
            for event in checks.events(connection, "break")
        ]
    lost = [day for kind, *days in found if kind == "lost_restores" for day in days]
    others = {event for event in found if event[0] != "lost_restores"}
    return others | ({("lost_restores", min(lost), max(lost))} if lost else set())


def run(project, *arguments):
    """The exit code, what was printed, and the JSON that was written."""
    output = project.folder / "reconciliation"
    said = CliRunner().invoke(
        reconcile.main,
        [
            *("--database", str(project.warehouse), "--raw", str(project.raw)),
            *("--manifest", str(project.manifest_json), "--output", str(output), *arguments),
        ],
    )
    result = output / "reconciliation.json"
    return said.exit_code, said.output, json.loads(result.read_text()) if result.exists() else {}


@pytest.fixture
def copied(platform, new_project):
    return platform.copy_to(new_project())


def test_what_was_planted_is_named_with_its_window_and_nothing_else(platform):
    expected = planted(platform.folder / "data")
    assert len(expected) == 4
    assert named(platform.warehouse) == expected


def test_the_headline_agrees_with_the_raw_files_and_breaks_end_with_1(platform, copied):
    code, said, result = run(copied)
    assert code == 1, said
    assert {one["status"] for one in result["headline"]} == {"match"}
    assert all(rows["files"] == rows["layer"] for rows in result["raw_rows"].values())
    page = (copied.folder / "reconciliation" / "reconciliation.md").read_text()
    for event in result["breaks"]:
        assert event["first_day"] in page
        assert event["what_to_do"] in said.replace("\n", " ") or event["what_to_do"] in page


def test_a_number_that_the_raw_files_do_not_give_is_a_break(copied):
    with duckdb.connect(copied.warehouse) as warehouse:
        ((n,),) = warehouse.execute(
            "update rates.accuracy_rates set estimate = estimate + 1e-6 where "
            "metric_id = 'accuracy' and metric_version = 1 "
            "and period_type = 'month' and dimension_name = 'overall' "
            "and period_starts_on = date '2026-08-01'"
        ).fetchall()
        assert n == 1
    code, said, result = run(copied)
    assert code == 1
    (accuracy,) = [one for one in result["headline"] if one["name"] == "accuracy"]
    assert accuracy["status"] == "break"
    assert accuracy["worst"] == "2026-08, all"
    assert "break" in said


def test_rows_that_left_the_raw_files_are_a_break(copied):
    sorted((copied.raw / "decisions").glob("*.parquet"))[0].unlink()
    code, said, result = run(copied)
    assert code == 1
    assert result["raw_rows"]["decisions"]["files"] < result["raw_rows"]["decisions"]["layer"]
    assert "decisions: " in said


def test_a_side_that_is_missing_is_shown_and_is_no_agreement(week, new_project):
    project = week.copy_to(new_project())
    code, said, result = run(project)
    rows = {row["check_name"]: row for row in result["checks"]}
    for name in OPTIONAL:
        assert (rows[name]["n"], rows[name]["n_not_evaluated"]) == (1, 1), name
    assert result["n_not_evaluated"] >= len(OPTIONAL)
    assert "could not be made" in result["verdict"]
    assert code == 0, said


def test_a_frame_that_counts_others_is_a_break_with_its_stratum(new_project, world):
    world["sampling_frame"].loc[0, "population_size"] += 20
    world["review_jobs"] = world["review_jobs"].iloc[1:]
    project = new_project()
    project.deliver(world)
    project.build(
        "--select", "+reconciliation_checks", "+reconciliation_rows", "reasons", data_tests=False
    )
    found = {(name, why) for name, why, *_ in breaks_of(project)}
    assert found == {
        ("frame_to_decisions", "frame_disagrees"),
        ("decisions_to_jobs", "no_job"),
    }
    rows = project.query("select row_id from restricted.reconciliation_rows where not is_explained")
    assert rows["row_id"].to_list() == ["d000"]


def breaks_of(project):
    """(check, reason, window) of each break."""
    with duckdb.connect(project.warehouse, read_only=True) as connection:
        return [
            (event.check_name, event.reason_code, event.window)
            for event in checks.events(connection, "break")
        ]


def test_every_check_is_in_the_documents_and_the_mart(platform):
    page = (ROOT / "docs" / "reconciliation.md").read_text(encoding="utf-8")
    seeds = duckdb.sql(f"from '{ROOT / 'seeds' / 'reconciliation.csv'}'").fetchall()
    there = platform.query("select distinct check_name from reconciliation.reconciliation_checks")
    for name, _, left, right, _, catches, what_to_do in seeds:
        assert f"| `{name}` | {left} | {right} | {catches} | {what_to_do} |" in page
        # Of connectors with published data alone.
        assert name in set(there["check_name"]) or name == "published_facts"


def test_every_check_says_which_numbers_rest_on_it(platform):
    """In the seed and in the documents; what it names is in the seed metrics."""
    page = (ROOT / "docs" / "reconciliation.md").read_text(encoding="utf-8")
    described = page.split("| a break of | marks |")[1].split("\n\n")[0]
    names = {
        table: {row[0] for row in platform.query(f"select {sql} from reference.{table}").to_numpy()}
        for table, sql in (("reconciliation", "check_name"), ("numbers_of_checks", "check_name"))
    }
    assert names["reconciliation"] == names["numbers_of_checks"]
    assert all(f"`{name}`" in described for name in names["reconciliation"])
    numbers = platform.query(
        "select numbers from reference.numbers_of_checks "
        "where numbers not in ('none', 'exclusions') and numbers not in "
        "(select anchor from reference.metrics union all select denominator from reference.metrics "
        "where denominator is not null)"
    )
    assert numbers.empty
    patterns = platform.query(
        "select comparison from reference.numbers_of_checks as numbers "
        "inner join reconciliation.reconciliation_checks as checks using (check_name) "
        "where check_name in ('codes_to_lists', 'rows_to_filled_fields') group by all "
        "having count(*) filter (where check_key like comparison) = 0"
    )
    assert patterns.empty, "patterns that no comparison of a whole platform meets"


def accept(project, row):
    """Put an accepted difference into the built warehouse, and judge the checks again."""
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute("delete from reference.accepted_differences")
        warehouse.execute(f"insert into reference.accepted_differences values ({row})")
    run = project.build("--select", "reconciliation_checks", data_tests=False)
    assert run.returncode == 0, run.stdout


def test_an_accepted_difference_excuses_until_it_expires(copied):
    days = "date '2026-01-01', date '2026-12-31', 1, 'share', 'somebody'"
    before = {name for name, *_ in breaks_of(copied)}
    accept(copied, f"'control_totals', null, null, {days}, date '2099-12-31', 'known'")
    assert before - {name for name, *_ in breaks_of(copied)} == {"control_totals"}
    ((reason,),) = copied.query(
        "select distinct reason_code from reconciliation.reconciliation_checks "
        "where check_name = 'control_totals' and status = 'explained'"
    ).to_numpy()
    assert reason == "accepted"
    accept(copied, f"'control_totals', null, null, {days}, date '2026-08-04', 'known'")
    assert {name for name, *_ in breaks_of(copied)} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--database", "nowhere.duckdb"),
        ("--source", "decisions=nowhere.parquet"),
        ("--source", "policies=nowhere.parquet"),
    ],
)
def test_what_cannot_run_ends_with_2(week, new_project, arguments):
    project = week.copy_to(new_project())
    assert run(project, *arguments)[0] == 2


def test_rows_beside_those_of_the_source(week, new_project, tmp_path):
    project = week.copy_to(new_project())
    file = tmp_path / "theirs.parquet"
    with duckdb.connect(project.warehouse, read_only=True) as warehouse:
        warehouse.sql("set timezone = 'UTC'")
        warehouse.sql(
            f"""
            copy (
                select * replace (
                    case when decision_id = 'd010' then 'ban' else action_code end as action_code
                )
                from staging.stg_decisions
                where decision_id <> 'd020'
                union all by name
                select * replace ('d999' as decision_id)
                from staging.stg_decisions where decision_id = 'd030'
                union all by name
                select * from staging.stg_decisions where decision_id = 'd040'
            ) to '{file}' (format parquet)
            """
        )
        found = compare_rows(warehouse, "decisions", file)
    assert (found.n_same, found.n_changed) == (158, 1)
    assert (found.n_only_source, found.n_only_layer) == (2, 1)
    assert found.columns == {"action_code": 1}
    assert found.examples == {
        "twice in the source": ["d040"],
        "changed": ["d010"],
        "only in the source": ["d999"],
        "only in the layer": ["d020"],
    }
    code, said, result = run(project, "--source", f"decisions={file}")
    assert code == 1
    assert "d999" in said
    assert "d999" not in json.dumps(result), "ids of people's work are not for an open page"


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(101, 121, 4))
def test_over_seeds_nothing_planted_is_missed_and_nothing_else_is_said(new_project, seed):
    project = new_project()
    simulate.simulate(
        Settings(
            seed=seed,
            start=date(2026, 8, 3),
            days=42,
            decisions_per_day=400,
            moderators=40,
            queues=4,
        ),
        project.folder / "data",
        workers=1,
    )
    run = project.build("--select", "+reconciliation_checks", "reasons", data_tests=False)
    assert run.returncode == 0, run.stdout
    expected = planted(project.folder / "data")
    assert expected
    assert named(project.warehouse) == expected
    shutil.rmtree(project.folder / "data")
