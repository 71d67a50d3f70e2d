"""From a team's own tables to a number: the template, the flat sheet, a derived frame, make own."""

import csv
import json
import re
import shutil
from pathlib import Path

import duckdb
import headline
import own
import pandas as pd
import pytest
import raw_contract
import template
import yaml
from click.testing import CliRunner
from projects import ROOT
from reporting import sentences

SHEETS = ROOT.parent / "shared" / "real" / "flat_sheet"
MAPPING = yaml.safe_load((ROOT / "docs" / "audit_sheet.yml").read_text(encoding="utf-8"))
needs_the_flat_sheet = pytest.mark.skipif(
    not SHEETS.exists(), reason="the flat sheet is not there: ../shared/real/flat_sheet"
)


# --- the template -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The template, and in each file the example row."""
    folder = tmp_path_factory.mktemp("template") / "raw"
    template.write(folder)
    for table in raw_contract.tables():
        with (folder / f"{table.name}.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([column.example for column in table.ordered])
    return folder


def test_the_template_has_every_column_and_required_ones_first(filled):
    readme = (filled / "README.md").read_text(encoding="utf-8")
    contract = raw_contract.tables()
    assert len(contract) == len(list(filled.glob("*.csv"))) == 18
    for table in contract:
        with (filled / f"{table.name}.csv").open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        required = [column.name for column in table.columns if column.is_required]
        assert header[: len(required)] == required
        assert sorted(header) == sorted(column.name for column in table.columns)
        text = readme.partition(f"## {table.name} (")[2].partition("\n## ")[0]
        for column in table.columns:
            assert f"| {column.name} | " in text
            assert column.description in text.replace("\\|", "|")


def test_examples_meet_the_contract(filled, new_project):
    project = new_project()
    shutil.copytree(filled, project.raw)
    run = project.build("--select", "stg_queues")
    assert run.returncode == 0, run.stdout
    assert "is not read" not in run.stdout, "the README of the template is no raw table"
    for table in raw_contract.tables():
        for column in table.columns:
            assert not column.allowed or column.example in [*column.allowed, ""], column


def test_a_template_never_writes_over_a_file(filled):
    before = {file: file.read_bytes() for file in filled.iterdir()}
    run = CliRunner().invoke(template.main, [str(filled)])
    assert run.exit_code == 1
    assert "there already, nothing was written" in run.output
    assert before == {file: file.read_bytes() for file in filled.iterdir()}


def test_allowed_values_are_those_that_staging_tests(parsed_project):
    tests = [
        node["test_metadata"]["kwargs"]["expression"]
        for node in parsed_project.nodes.values()
        if node["resource_type"] == "test"
        and node["original_file_path"].startswith("models/staging/")
        and "expression" in (node.get("test_metadata") or {}).get("kwargs", {})
    ]
    n_compared = 0
    for table in raw_contract.tables():
        for column in table.columns:
            if not column.allowed or column.name.endswith("action_code"):
                continue
            listed = ", ".join(f"'{value}'" for value in column.allowed)
            assert any(f"{column.name} in ({listed})" in " ".join(t.split()) for t in tests), column
            n_compared += 1
    assert n_compared >= 12


def test_every_raw_table_has_a_reader_and_promises_what_there_is(parsed_project):
    manifest = json.loads((parsed_project.folder / "target" / "manifest.json").read_text())
    models = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    read = {name for model in models for source, name in model["sources"] if source == "raw"}
    assert read == {table.name for table in raw_contract.tables()}
    with (ROOT / "seeds" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        known = {row["metric_id"] for row in csv.DictReader(file)}
    with (ROOT / "seeds" / "reasons.csv").open(encoding="utf-8", newline="") as file:
        known |= {row["reason_code"] for row in csv.DictReader(file)}
    known |= {model["name"] for model in models} | read
    known |= {column for model in models for column in model["columns"]}
    # Words such as decisions_per_hour name something; what they name is there.
    for table in raw_contract.tables():
        promised = set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", table.empty_means))
        assert promised <= known, (table.name, promised - known)


# --- the flat sheet ---------------------------------------------------------------------------


def sheet_variables(project, folder, mapping):
    """The variables of a build on a folder of sheets; the mapping is written to a file."""
    file = project.folder / "mapping.yml"
    file.write_text(yaml.safe_dump(mapping), encoding="utf-8")
    return {"raw_connector": "audit_sheet", "raw_path": str(folder), "audit_sheet": str(file)}


def build_sheet(project, folder, mapping, *arguments):
    """Build on a folder of sheets with a mapping, in this process."""
    given = sheet_variables(project, folder, mapping)
    given["reporting_timezone"] = mapping.get("timezone", "UTC")
    return project.build(*arguments, "--vars", json.dumps(given), data_tests=not arguments)


@pytest.fixture(scope="module")
def sheet(new_project):
    """The flat sheet, built whole and tested."""
    project = new_project("audit_sheet")
    run = build_sheet(project, SHEETS, MAPPING)
    assert run.returncode == 0, run.stdout
    return project


@needs_the_flat_sheet
def test_every_row_becomes_what_is_expected(sheet):
    expected = pd.read_csv(SHEETS / "expected_rows.csv", dtype=str)
    rows = sheet.query("from raw_connector.audit_sheet__rows order by row_no")
    assert list(rows.row_no) == list(range(2, 12)), "each row of the file, numbered as in it"
    assert list(rows.fate) == list(expected.fate)
    assert list(rows.audit_id.fillna("")) == list(expected.audit_id.fillna(""))
    by_id = rows[rows.fate != "superseded"].set_index("audit_id")
    # QA-1008 is no row of the layer, so it has no revision there.
    revisions = rows[rows.fate != "rejected"]
    assert list(revisions.revision_no) == [
        int(n) for n in expected.revision_no[expected.fate != "rejected"]
    ]
    assert by_id.loc["QA-1003", "dispute_outcome"] == "overturned"
    assert by_id.loc["QA-1004", "sampling_method"] == "escalation"
    assert pd.isna(by_id.loc["QA-1004", "truth_action_code"])
    assert by_id.loc["QA-1004", "moderator_id"] == by_id.loc["QA-1001", "moderator_id"] == "mod-a"
    nothing = ["decided_policy_id", "truth_policy_id", "is_blind", "score", "severity"]
    assert by_id.loc["QA-1005", nothing].isna().all()
    assert by_id.loc["QA-1005", "score_text"] == "1"
    assert by_id.loc["QA-1007", "sampling_method"] == "targeted"
    assert by_id.loc["QA-1007", "decided_at"] == pd.Timestamp("2026-05-03 21:40:00")
    assert by_id.loc["QA-1008", "rejected_because"] == "decision_time_is_no_date"
    assert rows.rejected_because.iloc[-1] == "total_row"
    scores = rows.set_index(["audit_id", "revision_no"]).score
    assert (scores[("QA-1001", 1)], scores[("QA-1006", 1)], scores[("QA-1006", 2)]) == (
        100,
        100,
        75,
    )


@needs_the_flat_sheet
def test_the_layer_counts_the_sheet_as_it_says(sheet):
    audits = sheet.query("select * from facts.fct_audits").set_index("audit_id")
    assert audits.exclusion_reason.dropna().to_dict() == {
        "QA-1003": "truth_missing",
        "QA-1004": "not_probability_sample",
        "QA-1007": "not_probability_sample",
    }
    # N_h of the volumes over the audits of the stratum.
    assert audits.weight.dropna().to_dict() == {
        "QA-1001": 620.0,
        "QA-1002": 620.0,
        "QA-1005": 8310.0,
        "QA-1006": 6020.0,
    }
    week = sheet.query(
        "from rates.accuracy_rates where metric_id = 'accuracy' and metric_version = 1 "
        "and period_type = 'week' "
        "and dimension_name = 'overall' and period_starts_on = date '2026-05-04'"
    ).iloc[0]
    assert week.n_eligible_decisions == 1240 + 8310 + 6020 + 410
    assert week.estimate == pytest.approx((620 + 8310) / (1240 + 8310 + 6020))
    assert week.coverage_rate == pytest.approx(1 - 410 / 15_980)
    assert week.misframed_rate == 0
    assert week.weighting == "weighted"
    decisions = sheet.query(
        "select count(*) as n, count(distinct decision_id) as n_ids, "
        "count(distinct job_id) as jobs from facts.fct_decisions"
    ).iloc[0]
    # One audited decision is of the week before, of which there are no volumes.
    assert decisions.n == decisions.n_ids == decisions.jobs == 15_981


@needs_the_flat_sheet
def test_the_last_lines_say_what_was_read_and_left_out(sheet, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(own, "TARGET", sheet.folder / "own")
    monkeypatch.setattr(own, "REPORT", Path("no/report.py"))
    (sheet.folder / "own").mkdir()
    shutil.copy(sheet.manifest_json, sheet.folder / "own" / "manifest.json")
    own.summary(sheet.warehouse, SHEETS, "audit_sheet", own.Console(width=200))
    said = capsys.readouterr().out
    for line in [
        "the sheet: 10 rows (7 final, 2 rejected, 1 superseded)",
        "the volumes: 15,974 further decisions, known by week, queue and action",
        "1 row rejected: decision time is no date (row 10)",
        "1 score not read: outside score_scale, or ambiguous, as 1 may be 1 % or all (row 6)",
        "2 audits: not probability sample",
        "7 audits, 4 weighted.",
        "roster: without it, accuracy by site, vendor",
        "too few audits",
    ]:
        assert line in said


SMALL = """id;when;who;by;queue;case;at;did;right;how;score
1;46147;q1;M1;a;c1;05/03/2026 01:15 PM;Removed;Removed;Random;0,5
2;05/05/2026;q1;m 1;a;c2;05/03/2026 01:20 PM;Kept;Removed;random;1
3;05/05/2026;q1;m2;a;c3;05/03/2026 12:20 AM;Kept;-;;80%
4;05/01/2026;q1;m2;a;c4;05/03/2026 12:30 AM;Kept;Kept;Random;7
5;05/05/2026;q1;;a;c5;05/03/2026 12:30 AM;Kept;Kept;Random;
"""
SMALL_MAPPING = {
    "sheet": "small.csv",
    "timezone": "America/New_York",
    "date_formats": ["%m/%d/%Y"],
    "time_formats": ["%m/%d/%Y %I:%M %p"],
    "score_scale": "share",
    "max_rejected_share": 0.5,
    "names": {"M 1": "m1"},
    "actions": {"Removed": "remove", "Kept": "no_action"},
    "columns": {
        "audit_id": "id", "audited_at": "when", "auditor_id": "who", "moderator_id": "by",
        "queue_id": "queue", "item_id": "case", "decided_at": "at", "decided_action_code": "did",
        "truth_action_code": "right", "sampling_method": "how", "score": "score",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def small(new_project, tmp_path_factory):
    """A folder with another sheet: semicolons, American times, day numbers, shares, no volumes."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.csv").write_text(SMALL, encoding="utf-8")
    return folder


def test_another_sheet_is_a_mapping_away(small, new_project):
    project = new_project("audit_sheet")
    run = build_sheet(
        project, small, SMALL_MAPPING, "--select", "models/connectors", "action_codes"
    )
    assert run.returncode == 0, run.stdout
    rows = project.query("from raw_connector.audit_sheet__rows order by row_no")
    assert list(rows.fate) == ["final", "final", "final", "rejected", "rejected"]
    assert list(rows.rejected_because.dropna()) == ["audited_before_it_was_decided", "no_moderator"]
    # A spreadsheet's number of 5 May 2026: its last second in New York.
    assert rows.audited_at[0] == pd.Timestamp("2026-05-06 03:59:59")
    assert rows.decided_at[0] == pd.Timestamp("2026-05-03 17:15:00")
    assert rows.decided_at[2] == pd.Timestamp("2026-05-03 04:20:00")
    assert list(rows.moderator_id[:3]) == ["m1", "m1", "m2"]
    assert list(rows.score[:3]) == [50, 100, 80]
    assert rows.sampling_method[2] == "targeted"
    audits = project.query("from raw_connector.audit_sheet__audits order by audit_id")
    assert list(audits.sampling_method) == ["simple_random", "simple_random", "targeted"]
    assert audits.plan_id.isna().all()
    assert project.query("from raw_connector.audit_sheet__sampling_frame").empty
    # With all rows within the share, the test of it passes; with none allowed, it does not.
    for allowed, status in ((0.5, "pass"), (0.05, "fail")):
        given = SMALL_MAPPING | {"max_rejected_share": allowed}
        test = project.dbt(
            "test",
            *("--select", "few_rows_of_the_sheet_are_rejected"),
            *("--vars", json.dumps(sheet_variables(project, small, given))),
        )
        assert test.statuses["few_rows_of_the_sheet_are_rejected"] == status, test.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"actions": {"Removed": "remove"}},
         'actions does not say what is meant by "Kept" (4 rows) in columns.decided_action_code. '
         "Map it to one of no_action, label,"),
        ({"colums": {}}, "there is no colums, but columns."),
        ({"timezone": "Europe/Dublino"}, "which the engine does not know"),
        ({"score_scale": "points"}, "score_scale is points, but is percent (100 is all), share"),
        ({"sheet": "smal.csv"}, "smal.csv cannot be read: is it there"),
        ({"columns": {**SMALL_MAPPING["columns"], "item_id": "Case No"}},
         'has no column "Case No" (columns.item_id). It has id, when, who'),
        ({"columns": {"audit_id": "id"}}, "columns does not map audited_at. The file has id, when"),
        ({"volumes": "small.csv", "volume_columns": {
            "week_starts_on": "when", "queue_id": "queue", "action_code": "did",
            "population_size": "case"}},
         'row 2: "c1" decisions in the week of "46147": a whole number and a day in date_formats'),
        ({"remarks": "none"}, "there is no remarks. There are sheet, volumes, timezone,"),
        ({"columns": {**SMALL_MAPPING["columns"], "team": "by"}},
         "columns maps team, which is none of audit_id, audited_at, auditor_id"),
        ({"columns": {**SMALL_MAPPING["columns"], "severity": "how"}},
         'severities does not say what is meant by "Random" (3 rows), "random" (1 row) in '
         "columns.severity. Map it to one of none, low, medium, high, severe."),
        ("- a list", "there is no mapping, or its file is no YAML of names and values"),
        (None, "cannot be read. Is it there?"),
    ],
    ids=["word", "key", "timezone", "scale", "file", "column", "unmapped", "volumes",
         "unlike any key", "unknown column", "word of a list", "no mapping", "no file"],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_explained(small, new_project, change, said):
    project = new_project("audit_sheet")
    given = sheet_variables(
        project, small, SMALL_MAPPING | change if isinstance(change, dict) else {}
    )
    if change is None:
        given["audit_sheet"] = str(project.folder / "absent.yml")
    elif isinstance(change, str):
        Path(given["audit_sheet"]).write_text(change, encoding="utf-8")
    run = project.build("--select", "models/connectors", "--vars", json.dumps(given))
    assert run.returncode != 0
    assert said in " ".join(run.stdout.split())
    assert "OK created" not in run.stdout, "nothing was built"


def test_a_frame_is_not_derived_from_a_sheet(small, new_project):
    project = new_project("audit_sheet")
    given = sheet_variables(project, small, SMALL_MAPPING) | {"derive_sampling_frame": True}
    run = project.build("--select", "models/connectors", "--vars", json.dumps(given))
    assert run.returncode != 0
    assert "a frame counted from them would be of the sample" in " ".join(run.stdout.split())


# --- a derived frame --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unframed(make_world, new_project):
    """The small world without frame and plans, a fifth of it automation, with a derived frame."""
    world = make_world()
    del world["sampling_frame"]
    by_model = world["decisions"].index % 5 == 0
    world["decisions"].loc[by_model, "decided_by_type"] = "automation"
    world["decisions"].loc[by_model, "moderator_id"] = None
    world["audits"] = world["audits"].drop(columns=["plan_id", "stratum_id"])
    project = new_project()
    project.deliver(world)
    run = project.build("--vars", "derive_sampling_frame: true")
    assert run.returncode == 0, run.stdout
    return project


def test_a_derived_frame_counts_the_decisions(unframed):
    strata = unframed.query("from facts.int_sampling__strata")
    counted = unframed.query(
        "select decided_on - (isodow(decided_on) - 1)::int as week, queue_id, decided_by_type, "
        "action_group, count(*) as n from facts.fct_decisions where is_eligible group by all"
    )
    assert strata.is_derived.all()
    assert set(strata.decided_by_type) == {"human", "automation"}
    assert sorted(strata.population_size) == sorted(counted.n)
    assert strata.population_size.sum() == counted.n.sum()
    assert strata.is_frame_held.all()


def test_every_rate_says_that_its_frame_is_derived(unframed, week):
    """But accuracy_compared, which shows nothing of so few people: a unit test of it does."""
    for mart in (
        "rates.accuracy_rates",
        "rates.policy_rates",
        "explain.error_pareto",
        "explain.policy_confusion",
        "restricted.moderator_accuracy",
        "report.headline",
        "report.accuracy_cube",
    ):
        rows = unframed.query(f"select weighting, count(*) as n from {mart} group by all")
        said = set(rows.weighting.dropna())
        assert "derived_frame" in said, mart
        assert "weighted" not in said, mart
        before = week.query(f"select distinct weighting from {mart}")
        assert "derived_frame" not in set(before.weighting), mart


def test_the_page_and_the_week_say_that_the_frame_is_derived(unframed):
    rows = unframed.query(
        "from report.headline where metric_id = 'accuracy' and metric_version = 1 "
        "and dimension_name = 'overall' "
        "and weighting = 'derived_frame'"
    )
    assert "Frame: derived." in sentences.coverage(sentences.of_all(rows))
    weighted = rows.assign(weighting="weighted")
    assert "Frame: derived." not in sentences.coverage(sentences.of_all(weighted))


def test_a_rate_by_a_derived_frame_is_the_stratified_mean(unframed):
    audits = unframed.query(
        "select d.queue_id, d.decided_by_type, d.action_group, a.n_correct "
        "from facts.fct_audits as a inner join facts.fct_decisions as d using (decision_id) "
        "where a.is_counted and d.decided_on < date '2026-03-09'"
    )
    decisions = unframed.query(
        "select queue_id, decided_by_type, action_group, count(*) as size "
        "from facts.fct_decisions where is_eligible and decided_on < date '2026-03-09' group by all"
    )
    by = ["queue_id", "decided_by_type", "action_group"]
    means = audits.groupby(by).n_correct.mean().rename("mean").reset_index()
    both = decisions.merge(means, on=by)
    expected = (both["size"] * both["mean"]).sum() / both["size"].sum()
    rate = unframed.query(
        "select estimate, weighting from rates.accuracy_rates where "
        "metric_id = 'accuracy' and metric_version = 1 "
        "and period_type = 'week' and dimension_name = 'overall' "
        "and period_starts_on = date '2026-03-02'"
    ).iloc[0]
    assert rate.estimate == pytest.approx(expected)
    assert rate.weighting == "derived_frame"


def test_audits_without_a_frame_are_said(make_world, new_project):
    world = make_world()
    world["sampling_frame"] = world["sampling_frame"].iloc[:0]
    project = new_project()
    project.deliver(world)
    run = project.build("--select", "+audits_are_weighted")
    assert run.statuses["audits_are_weighted"] == "warn", run.stdout
    assert "audits, none weighted: no frame; see derive_sampling_frame" in run.stdout


# --- make own ---------------------------------------------------------------------------------


def spoilt(make_world):
    """Five ways in which a first build fails: {name: the files of RAW as text}."""
    world = {name: table.to_csv(index=False) for name, table in make_world().items()}

    def changed(table, before, after):
        assert before in world[table]
        return world | {table: world[table].replace(before, after)}

    without = {name: text for name, text in world.items() if name != "decisions"}
    overlapping = world["sampling_frame"].splitlines(keepends=True)
    return {
        "a required table is missing": without,
        "a time is in another form": changed("decisions", "2026-03-02 00:00:00", "02.03.2026"),
        "a column is misspelt": changed("audits", "is_technical_error", "is technical error"),
        "a file is cut short": world | {"audits": world["audits"][:-40]},
        # This one fails while models are built, after some of them were.
        "a frame overlaps": world
        | {"sampling_frame": "".join([*overlapping, overlapping[1].replace("weekly", "again")])},
    }


def test_nothing_of_the_sample_is_in_a_warehouse_of_ones_own(
    week, new_project, make_world, monkeypatch
):
    project = new_project()
    week.copy_to(project)
    sample = project.warehouse.read_bytes()
    monkeypatch.chdir(project.folder)
    raw, database = project.folder / "mine", project.folder / "data" / "own.duckdb"
    for way, files in spoilt(make_world).items():
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir()
        for name, text in files.items():
            # What is mine is told from the sample by its source.
            mine = text.replace(",test,", ",mine,")
            (raw / f"{name}.csv").write_text(mine, encoding="utf-8")
        run = CliRunner().invoke(own.main, [str(raw)])
        assert run.exit_code == 1, (way, run.output)
        assert "the build failed" in run.output, way
        assert rows_of_others(database) == 0, way
        assert project.warehouse.read_bytes() == sample, way
        database.unlink(missing_ok=True)


def rows_of_others(database):
    """How many rows of a warehouse are of a source that is not mine; none where there is none."""
    if not database.exists():
        return 0
    with duckdb.connect(database, read_only=True) as warehouse:
        tables = warehouse.execute(
            "select table_schema || '.' || table_name from information_schema.columns "
            "where column_name = 'source_system'"
        ).fetchall()
        return sum(
            warehouse.execute(
                f"select count(*) from {table} where source_system not in ('mine', 'derived')"
            ).fetchone()[0]
            for (table,) in tables
        )


def test_a_warehouse_that_make_own_did_not_make_is_left_alone(tmp_path):
    database = tmp_path / "warehouse.duckdb"
    duckdb.connect(database).close()
    before = database.read_bytes()
    run = CliRunner().invoke(own.main, [str(tmp_path), "--database", str(database)])
    assert run.exit_code == 1
    assert "was not made by make own" in run.output
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "connector", "said"),
    [
        ("sheet: a.csv", None, "MAPPING is of CONNECTOR=audit_sheet alone."),
        ("sheet: [a", "audit_sheet", "mapping.yml is no YAML: "),
        ("- a list", "audit_sheet", "mapping.yml is no mapping of names to values."),
    ],
)
def test_a_mapping_that_is_none_stops_make_own(tmp_path, text, connector, said):
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(text, encoding="utf-8")
    arguments = [
        str(tmp_path),
        "--mapping",
        str(mapping),
        "--database",
        str(tmp_path / "own.duckdb"),
    ]
    run = CliRunner().invoke(
        own.main, arguments + (["--connector", connector] if connector else [])
    )
    assert run.exit_code == 1
    assert said in run.output
    assert list(tmp_path.iterdir()) == [mapping], "nothing was begun"


def test_a_name_that_is_taken_is_not_made_a_link(tmp_path):
    taken = tmp_path / "own.raw"
    taken.mkdir()
    with pytest.raises(own.click.ClickException, match="is there and is no link"):
        own.link(tmp_path, taken)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        own.link(folder, tmp_path / "link")
    assert (tmp_path / "link").resolve() == second


def test_another_folder_begins_anew(tmp_path):
    database = tmp_path / "own.duckdb"
    own.own_warehouse(database, {"raw": "/a", "connector": ""})
    database.write_bytes(b"built from a")
    own.own_warehouse(database, {"raw": "/a", "connector": ""})
    assert database.exists(), "the next build of the same folder adds to it"
    own.own_warehouse(database, {"raw": "/b", "connector": ""})
    assert not database.exists()


# --- smaller stumbles -------------------------------------------------------------------------


def test_a_manifest_of_another_database_is_no_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    database, manifest = tmp_path / "empty.duckdb", tmp_path / "manifest.json"
    duckdb.connect(database).close()
    names = ("accuracy_rates", "dim_periods")
    nodes = {
        name: {
            "name": name,
            "resource_type": "model",
            "relation_name": f'"other"."accuracy"."{name}"',
            "config": {"meta": {"readers": "everybody"}},
        }
        for name in names
    }
    manifest.write_text(json.dumps({"nodes": nodes}))
    run = CliRunner().invoke(
        headline.main, ["--database", str(database), "--manifest", str(manifest)]
    )
    assert run.exit_code == 1
    assert "the manifest is of another database" in run.output
    assert isinstance(run.exception, SystemExit)


def test_a_word_of_the_layer_is_no_name_of_a_vendor(make_world, new_project):
    world = make_world()
    world["roster"]["vendor"] = "not_applicable"
    project = new_project()
    project.deliver(world)
    run = project.build("--select", "names_are_spelt_one_way", "stg_roster")
    assert run.statuses["names_are_spelt_one_way"] == "warn", run.stdout
    assert "delivered_name=not_applicable" in run.stdout


def test_ratings_alone_are_enough(make_world, new_project):
    world = make_world()
    rated_at = pd.Timestamp("2026-03-04")
    ratings = pd.DataFrame(
        [
            {"session_id": "s", "item_id": f"i{item}", "rater_id": f"r{rater}"}
            for item in range(6)
            for rater in range(6)
        ]
    ).assign(action_code="remove", policy_id="spam", rated_at=rated_at, source_system="test")
    world["calibration_ratings"] = ratings.assign(recorded_at=rated_at)
    kept = ("calibration_ratings", "policies", "queues", "roster")
    world = {name: table if name in kept else table.iloc[:0] for name, table in world.items()}
    project = new_project()
    project.deliver(world)
    run = project.build(data_tests=False)
    assert run.returncode == 0, run.stdout
    there_are = ("there_are_rates", "there_are_headlines", "there_are_decisions_to_overturn")
    run = project.dbt("test", "--select", *there_are)
    assert set(run.statuses.items()) == {(name, "pass") for name in there_are}, run.stdout
    assert len(project.query("from rates.rater_agreement")) > 0
