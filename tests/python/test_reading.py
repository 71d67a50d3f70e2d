"""What is asked of raw data before a build: can it be read as it stands, and is all of it read."""

import csv
import gc
import re

import duckdb
import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal
from projects import ROOT

WANTED = (
    "Wanted: YYYY-MM-DD HH:MM:SS, UTC, such as 2026-03-02 09:00:00, or with Z or an offset such as "
    "+09:00."
)


def before_the_build(project, *arguments):
    """What is said before a small build, on one line, and how the build ended."""
    run = project.build("--select", "stg_queues", *arguments, data_tests=False)
    said = " ".join(run.stdout.split())
    assert "Traceback" not in said, said
    assert "Database Error" not in said, run.stdout
    if run.returncode:
        assert run.returncode == 2
        # An error that went through Jinja holds on to its connection.
        gc.collect()
        assert project.tables() == set()
    return said, run.returncode


def stop(project, *arguments):
    said, code = before_the_build(project, *arguments)
    assert code == 2, said
    return said


def no_stop(project, *arguments):
    said, code = before_the_build(project, *arguments)
    assert code == 0, said
    return said


def staged(project, table="decisions"):
    run = project.build("--select", f"+stg_{table}", data_tests=False)
    assert run.returncode == 0, run.stdout
    return project.table(f"staging.stg_{table}")


@pytest.fixture
def project(new_project, world):
    project = new_project()
    project.deliver(world)
    return project


# Times


READ = {
    "2026-03-02 18:00+09:00": "2026-03-02 09:00",
    "2026-03-02T14:30:00+0530": "2026-03-02 09:00",
    "2026-03-02 06:00:00-03": "2026-03-02 09:00",
    "2026-03-02T09:00:00.123456Z": "2026-03-02 09:00:00.123456",
    "2026-03-02 09:00:00 UTC": "2026-03-02 09:00",
    "2026-03-02 09:00:00": "2026-03-02 09:00",
    "2026-03-02": "2026-03-02",
}
# With the form in which it is shown: two columns may be swapped, and ids of people are not printed.
NOT_READ = {
    "2026-03-02 09:00 AM": "9999-99-99 99:99 AM",
    "2026-03-02 09:00 Europe/Dublin": "9999-99-99 99:99 aaaaaa/aaaaaa",
    "02.03.2026 09:00": "99.99.9999 99:99",
    "03/02/2026": "99/99/9999",
    "2026-03-02 09:00:00 +09:00": "9999-99-99 99:99:99 +99:99",
    "mod-0_Łucja@x": "aaa-9_aaaaa@a",
    "1772442000000": "9999999999999",
}


def with_times(world, times):
    decisions = world["decisions"]
    decisions["decided_at"] = decisions["decided_at"].astype(str)
    decisions.loc[list(range(len(times))), "decided_at"] = list(times)
    return world


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_offset_of_a_text_time_is_applied(new_project, world, kind):
    project = new_project()
    project.deliver(with_times(world, READ), kind)
    decided_at = staged(project).set_index("decision_id")["decided_at"]
    expected = {f"d{n:03}": pd.Timestamp(time) for n, time in enumerate(READ.values())}
    assert {key: decided_at[key] for key in expected} == expected


@pytest.mark.parametrize("text", NOT_READ)
def test_another_text_than_a_time_stops_and_only_its_form_is_shown(new_project, world, text):
    project = new_project()
    project.deliver(with_times(world, [text]))
    said = stop(project)
    assert (
        "decisions.decided_at: 1 values cannot be read as timestamp (they are varchar)" in said
    ), said
    assert f'such as "{NOT_READ[text]}" in decision_id d000. {WANTED}' in said, said
    assert text not in said, said


def test_a_time_zone_aware_column_is_read_as_utc(new_project, world, week):
    world["decisions"]["decided_at"] = (
        world["decisions"]["decided_at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    )
    project = new_project()
    project.deliver(world)
    assert_frame_equal(staged(project), week.table("staging.stg_decisions"))


def test_the_offset_of_as_of_is_applied(project):
    run = project.build(
        "--select", "+int_context__as_of", "--vars", "as_of: '2026-03-10T09:00:00+09:00'"
    )
    assert project.query("select as_of from staging.int_context__as_of").iloc[0, 0] == (
        pd.Timestamp("2026-03-10")
    ), run.stdout


# Ids


def test_ids_that_are_fractions_stop(new_project, world):
    world["decisions"]["job_id"] = range(len(world["decisions"]))
    world["decisions"]["moderator_id"] = world["decisions"]["job_id"] + 0.0
    # Where nothing is known pandas writes doubles.
    world["decisions"]["supersedes_decision_id"] = float("nan")
    project = new_project()
    project.deliver(world)
    said = stop(project)
    n = len(world["decisions"])
    assert f"decisions.moderator_id: {n} ids are of type double, which loses digits" in said, said
    assert "decisions.job_id" not in said, said
    assert "supersedes_decision_id" not in said, said


# There and not read


def test_a_healthy_delivery_is_not_warned_of(project):
    assert "not read" not in no_stop(project)


@pytest.fixture
def with_strange_columns(new_project, world):
    project = new_project()
    world["audits"] = (
        world["audits"]
        .rename(columns={"is_technical_error": "Is Technical-Error"})
        .assign(**{"_fivetran_deleted": False, "notes": "x", "Plan ID": "x"})
    )
    world["decisions"] = world["decisions"].rename(columns={"handling_seconds": "handling_secs"})
    project.deliver(world)
    return project


def test_columns_that_are_there_and_not_read_are_named(with_strange_columns):
    said = stop(with_strange_columns)
    for part in (
        "- audits.is technical-error: is not read, and is_technical_error is absent. Rename it",
        "- audits._fivetran_deleted: marks rows as deleted, and is not read",
        "There in the raw data and not read (3).",
        "- audits.plan id is not read. It looks like plan_id, which is there too.",
        "- decisions.handling_secs is not read. It looks like handling_seconds, which is absent. "
        "- audits.notes is not read: the contract has no such column.",
    ):
        assert part in said, said


def test_what_is_left_out_on_purpose_is_not_named(with_strange_columns):
    audits = ("is technical-error", "_fivetran_deleted", "notes", "plan id")
    columns = [f"audits.{name}" for name in audits] + ["decisions.handling_secs"]
    said = no_stop(with_strange_columns, "--vars", yaml.safe_dump({"not_read": columns}))
    assert "not read" not in said, said


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_files_without_a_column_that_others_have_are_named(new_project, world, kind):
    project = new_project()
    audits = world.pop("audits")
    project.deliver(world, kind)
    (project.raw / "audits" / "site=Dublin").mkdir(parents=True)
    parts = {
        "a": audits.head(9),
        "b": audits[9:20],
        "site=Dublin/c": audits[20:].rename(columns={"truth_policy_id": "true_policy"}),
    }
    for name, part in parts.items():
        file = project.raw / "audits" / f"{name}.{kind}"
        part.to_csv(file) if kind == "csv" else part.to_parquet(file)
    said = no_stop(project)
    assert (
        "audits.truth_policy_id is not in 1 of 3 files, and NULL there: "
        f"data/raw/audits/site=Dublin/c.{kind} (which has "
    ) in said, said
    assert "true_policy" in said, said
    assert "audits.site is only in the names of folders (site=, 1 files)" in said, said


def test_files_that_no_table_takes_are_named_and_hidden_ones_are_not_read(project, world, week):
    raw = project.raw
    for name in ("Disputes.CSV", "dispute.csv", "roster_2026.parquet", "README.txt", ".DS_Store"):
        (raw / name).write_text("")
    (raw / "_temporary").mkdir()
    (raw / "_temporary" / "decisions.parquet").write_text("")
    (raw / "decisions").mkdir()
    (raw / "decisions" / ".part-0.parquet").write_text("")
    said = no_stop(project)
    assert "There in the raw data and not read (4)." in said, said
    for part in (
        "data/raw/Disputes.CSV is not read. It looks like disputes, which is read from",
        "data/raw/dispute.csv is not read. It looks like disputes",
        "data/raw/README.txt is not read: the contract has no such table.",
    ):
        assert part in said, said
    assert_frame_equal(staged(project), week.table("staging.stg_decisions"))


def test_no_more_than_ten_lines_are_listed(project):
    for n in range(30):
        (project.raw / f"{n}.txt").write_text("")
    said = no_stop(project)
    assert "not read (30)." in said, said
    assert said.count("the contract has no such table") == 10
    assert "- and 20 more." in said, said


def test_tables_of_a_schema_that_the_contract_does_not_know_are_named(new_project, world):
    project = new_project()
    with duckdb.connect(project.warehouse) as connection:
        connection.sql("create schema landing")
        for name, table in (world | {"auditz": world["audits"]}).items():
            connection.register("delivered", table)
            connection.sql(f"create table landing.{name} as from delivered")
    said = no_stop(project, "--vars", "raw_schema: landing")
    assert "landing.auditz is not read. It looks like audits" in said, said


# Files


def as_csv(table, **form):
    return table.to_csv(None, index=False, **form)


def put(project, table, text, encoding="utf-8", name=None):
    """Deliver a table as one CSV file."""
    (project.raw / f"{table}.parquet").unlink(missing_ok=True)
    file = project.raw / (name or f"{table}.csv")
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode(encoding))


FORMS = {
    "semicolons": lambda table: as_csv(table, sep=";"),
    "tabs": lambda table: as_csv(table, sep="\t"),
    "quoted": lambda table: as_csv(table, quoting=csv.QUOTE_ALL),
    "a_title": lambda table: "Report, of decisions\n\nMade 2026-03-20\n" + as_csv(table),
    "windows": lambda table: "\ufeff" + as_csv(table, lineterminator="\r\n"),
    "capitals": lambda table: as_csv(table.rename(columns=str.upper)),
    "an_index": lambda table: table.to_csv(None),
}


@pytest.mark.parametrize("form", FORMS)
def test_csv_files_are_read_in_any_form(project, world, week, form):
    put(project, "decisions", FORMS[form](world["decisions"]))
    no_stop(project)
    assert_frame_equal(staged(project), week.table("staging.stg_decisions"))


def test_csv_files_of_several_forms_are_one_table(project, world, week):
    parts = zip(FORMS, range(0, len(world["decisions"]), 23), strict=True)
    for form, first in parts:
        part = world["decisions"][first : first + 23]
        if form == "an_index":
            part = part.iloc[:, ::-1]
        put(project, "decisions", FORMS[form](part), name=f"decisions/it's {form}.csv")
    no_stop(project)
    assert_frame_equal(staged(project), week.table("staging.stg_decisions"))


def line_changed(table, n, change):
    lines = as_csv(table).splitlines()
    lines[n - 1] = change(lines[n - 1])
    return "\n".join(lines) + "\n"


FAULTS = {
    "too_wide": (
        lambda table: line_changed(table, 5, lambda line: line + ",x"),
        "data/raw/decisions.csv, line 5 has 11 fields, the header 10.",
    ),
    "cut_short": (
        lambda table: as_csv(table)[:-60],
        "data/raw/decisions.csv, line 161 has 5 fields, the header 10. Is the file cut short",
    ),
    "an_open_quote": (
        lambda table: line_changed(table, 10, lambda line: line.replace("remove", '"remove')),
        "data/raw/decisions.csv, line 10 has a quote that does not close.",
    ),
    "not_utf_8": (
        lambda table: line_changed(table, 6, lambda line: line.replace("remove", "é")),
        "data/raw/decisions.csv, line 6 is not UTF-8.",
    ),
    "empty": (lambda table: "", "data/raw/decisions.csv is empty."),
    "no_header": (
        lambda table: as_csv(table, header=False),
        "data/raw/decisions.csv: none of its first 20 lines names columns of decisions.",
    ),
    "a_column_twice": (
        lambda table: as_csv(table).replace("moderator_id", "Job_ID", 1),
        "data/raw/decisions.csv names a column more than once: job_id, Job_ID.",
    ),
    "two_line_endings": (
        lambda table: as_csv(table, lineterminator="\r\n").replace("\r\n", "\n", 9),
        'Raw table "decisions" cannot be read: a file of it is cut short, mixes line endings',
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_csv_file_that_cannot_be_read_stops(project, world, fault):
    spoil, message = FAULTS[fault]
    put(project, "decisions", spoil(world["decisions"]), "latin-1" if "utf" in fault else "utf-8")
    said = stop(project)
    assert message in said, said
    assert "mod-" not in said, said


@pytest.mark.parametrize("content", [b"", b"PAR1", b"decision_id,job_id\nd000,j000\n", None])
def test_a_parquet_file_that_is_not_whole_stops(project, content):
    file = project.raw / "decisions.parquet"
    file.write_bytes(file.read_bytes()[:-7] if content is None else content)
    said = stop(project)
    assert "decisions: data/raw/decisions.parquet is cut short, or no Parquet file." in said, said


def test_a_path_may_hold_an_apostrophe(project, week):
    (project.folder / "o'hara").mkdir()
    project.raw.rename(project.folder / "o'hara" / "raw")
    run = project.build(
        "--select", "+stg_decisions", "--vars", '{raw_path: "o\'hara/raw/"}', data_tests=False
    )
    assert run.returncode == 0, run.stdout
    assert_frame_equal(
        project.table("staging.stg_decisions").drop(columns="moderator_key"),
        week.table("staging.stg_decisions").drop(columns="moderator_key"),
    )


# Variables


def test_the_known_variables_are_those_of_the_project():
    text = (ROOT / "macros" / "contract" / "variables.sql").read_text()
    known = re.findall("'([a-z_]+)'", text.split("endmacro")[0])
    assert known == sorted(yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"])


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ("confidence_levle: 0.9", "there is no variable confidence_levle, but confidence_level."),
        ("surprise: 1", "there is no variable surprise. They are in dbt_project.yml."),
        ("as_of: 2026-03-02 9 AM", f"cannot be read as timestamp. {WANTED}"),
        ("as_of: '2026-02-31'", 'as_of: "2026-02-31" cannot be read as timestamp.'),
        ("confidence_level: 95", "confidence_level: is 95, but is a share, such as 0.95."),
        ("reporting_timezone: Dublin", "reporting_timezone is "),
        ("daily_dimensions: overall", "daily_dimensions: is overall, but is a list, such as [over"),
        ("daily_dimensions: [queues]", "there is no dimension queues. There are overall, queue, "),
        (
            "daily_dimensions: [queue, team]",
            "there are no rates by day of a team, as a day of it is",
        ),
    ],
)
def test_a_variable_that_makes_no_sense_stops(project, variables, message):
    assert message in stop(project, "--vars", variables)


# A part of the graph


def test_a_part_built_in_an_empty_warehouse_runs_the_tests_that_can_run(project):
    run = project.build("--select", "+stg_audits")
    assert run.returncode == 0, run.stdout
    assert run.statuses["audits_have_one_row_each"] == "pass"
