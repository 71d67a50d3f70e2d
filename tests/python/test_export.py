"""The copy for BI tools: the open marts and nothing else, whole, and swapped at once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from datetime import date, datetime

import duckdb
import export
import frictionless
import openpyxl
import pytest
from click.testing import CliRunner
from exporting import tableau
from projects import ROOT


def run(project, output, manifest=None):
    """Export a built project; returns what the command said."""
    return CliRunner().invoke(
        export.main,
        [
            *("--database", str(project.warehouse)),
            *("--manifest", str(manifest or project.manifest_json)),
            *("--output", str(output)),
        ],
    )


@pytest.fixture(scope="module")
def copy(platform, tmp_path_factory):
    """The folder of a copy of the platform. It is only read."""
    output = tmp_path_factory.mktemp("exports")
    said = run(platform, output)
    assert said.exit_code == 0, said.output
    return output / "latest"


@pytest.fixture(scope="module")
def nodes(platform):
    manifest = json.loads(platform.manifest_json.read_text())
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }


def is_open(node):
    return node["config"]["meta"].get("readers") == "everybody" or node["name"] in export.SEEDS


def test_open_marts_are_copied_and_nothing_else(copy, nodes):
    expected = {name for name, node in nodes.items() if is_open(node)}
    assert len(expected) > 40
    with duckdb.connect(copy / "moderation_quality.duckdb", read_only=True) as database:
        tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    assert {name for _, name in tables} == expected
    assert not {schema for schema, _ in tables} & {"restricted", "cells", "facts", "staging"}
    for kind in ("parquet", "csv"):
        assert {file.stem for file in (copy / kind).iterdir()} == expected
    assert {file.name for file in copy.iterdir()} == {
        "moderation_quality.duckdb", "parquet", "csv", "datapackage.json", "weekly.xlsx",
        "power_bi",
        *(["tableau"] if tableau.installed() else []),
    }  # fmt: skip


def test_its_exposure_names_what_is_copied(platform, nodes):
    manifest = json.loads(platform.manifest_json.read_text())
    (exposure,) = (e for e in manifest["exposures"].values() if e["name"] == "copy_for_bi_tools")
    named = [name.split(".")[-1] for name in exposure["depends_on"]["nodes"]]
    assert sorted(named) == sorted(name for name, node in nodes.items() if is_open(node))


@pytest.mark.parametrize("kind", ["database", "parquet", "csv"])
def test_the_copy_has_the_rows_of_the_warehouse(platform, copy, nodes, kind):
    with duckdb.connect() as database:
        database.execute(f"attach '{platform.warehouse}' as built (read_only)")
        database.execute(f"attach '{copy}/moderation_quality.duckdb' as copied (read_only)")
        n_rows = 0
        for name, node in nodes.items():
            if not is_open(node):
                continue
            original = f"built.{node['schema']}.{name}"
            columns = database.execute(f"describe {original}").fetchall()
            types = {column: type_ for column, type_, *_ in columns}
            source = {
                "database": f"copied.{node['schema']}.{name}",
                "parquet": f"read_parquet('{copy}/parquet/{name}.parquet')",
                "csv": f"read_csv('{copy}/csv/{name}.csv', header = true, columns = {types})",
            }[kind]
            for one, other in ((source, original), (original, source)):
                assert database.execute(f"from {one} except all from {other}").fetchall() == [], (
                    name
                )
            n_rows += database.execute(f"select count(*) from {source}").fetchone()[0]
        assert n_rows > 1000


def test_descriptions_go_along(copy, nodes):
    with duckdb.connect(copy / "moderation_quality.duckdb", read_only=True) as database:
        said = database.execute(
            "select comment from duckdb_columns() where table_name = 'headline' "
            "and column_name = 'reason_code'"
        ).fetchone()
    assert said == (nodes["headline"]["columns"]["reason_code"]["description"],)


def test_the_data_package_is_valid(copy):
    package = frictionless.Package(str(copy / "datapackage.json"))
    assert package.validate(limit_rows=300).valid
    fields = {field.name: field.type for field in package.get_resource("headline").schema.fields}
    assert fields["estimate"] == "number"
    assert fields["period_starts_on"] == "date"
    assert fields["is_reportable"] == "boolean"


def test_the_workbook_has_weeks_and_a_dictionary(platform, copy):
    workbook = openpyxl.load_workbook(copy / "weekly.xlsx", read_only=True)
    assert workbook.sheetnames == ["dictionary", *export.WORKBOOK]
    described = {tuple(row[:2]) for row in workbook["dictionary"].iter_rows(values_only=True)}
    with duckdb.connect(platform.warehouse, read_only=True) as database:
        for name, condition in export.WORKBOOK.items():
            rows = list(workbook[name].iter_rows(values_only=True))
            ((schema,),) = database.execute(
                f"select schema_name from duckdb_tables() where table_name = '{name}'"
            ).fetchall()
            read = database.execute(f"from {schema}.{name} where {condition} order by all")
            assert rows[0] == tuple(column for column, *_ in read.description)
            assert {(name, column) for column in rows[0]} <= described
            found = [tuple(map(as_day, row)) for row in rows[1:]]
            assert found == [tuple(map(as_excel_has_it, row)) for row in read.fetchall()]


def as_day(value):
    """Excel has no dates without a time."""
    return (
        value.date()
        if isinstance(value, datetime) and value.time() == datetime.min.time()
        else value
    )


def as_excel_has_it(value):
    """An empty text is an empty cell, and Excel counts to 15 digits."""
    if isinstance(value, float):
        value = float(f"{value:.16g}")
        return int(value) if value.is_integer() else value
    return (as_day(value) if isinstance(value, date) else value) if value != "" else None


def test_a_restricted_mart_cannot_get_in(platform, tmp_path):
    """Readers are a line of YAML; the schema stops what the line lets through."""
    manifest = json.loads(platform.manifest_json.read_text())
    for node in manifest["nodes"].values():
        if node["name"] == "dim_people":
            assert node["schema"] == "restricted"
            node["config"]["meta"]["readers"] = "everybody"
    edited = tmp_path / "manifest.json"
    edited.write_text(json.dumps(manifest))
    said = run(platform, tmp_path / "exports", edited)
    assert said.exit_code == 1
    assert "dim_people is in schema restricted" in said.output
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_quote_in_a_path_is_a_letter(platform, tmp_path):
    """Of the warehouse and of the folder."""
    odd = tmp_path / "it's"
    odd.mkdir()
    shutil.copy(platform.warehouse, odd / platform.warehouse.name)
    said = CliRunner().invoke(
        export.main,
        [
            *("--database", str(odd / platform.warehouse.name)),
            *("--manifest", str(platform.manifest_json), "--output", str(odd / "exports")),
        ],
    )
    assert said.exit_code == 0, said.output
    assert (odd / "exports" / "latest" / "csv" / "headline.csv").stat().st_size > 1000


def test_a_sheet_that_excel_cannot_hold_is_said(platform, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "LARGEST_SHEET", 10)
    said = run(platform, tmp_path)
    assert said.exit_code == 1
    assert "Excel holds 10 rows in a sheet, and headline has" in said.output
    assert list(tmp_path.iterdir()) == []


def test_without_hyper_all_else_is_written_and_it_is_said(platform, tmp_path, monkeypatch):
    monkeypatch.setattr(tableau, "installed", lambda: False)
    said = run(platform, tmp_path)
    assert said.exit_code == 0
    assert "make export TABLEAU=1" in said.output
    latest = tmp_path / "latest"
    assert (latest / "weekly.xlsx").exists() and not (latest / "tableau").exists()


def test_a_metric_that_no_tool_can_have_is_said(platform, tmp_path):
    """Without what dbt writes for MetricFlow, and with a metric that is no ratio of sums."""
    manifest = tmp_path / "manifest.json"
    shutil.copy(platform.manifest_json, manifest)
    said = run(platform, tmp_path / "exports", manifest)
    assert said.exit_code == 1
    assert "semantic_manifest.json is not there: run `make build`" in said.output
    semantic = json.loads(platform.manifest_json.with_name("semantic_manifest.json").read_text())
    semantic["metrics"][0]["type"] = "derived"
    manifest.with_name("semantic_manifest.json").write_text(json.dumps(semantic))
    said = run(platform, tmp_path / "exports", manifest)
    assert said.exit_code == 1
    assert "is derived: a BI tool has no such metric" in said.output
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_failed_export_leaves_the_copy_before_it(platform, tmp_path, monkeypatch):
    assert run(platform, tmp_path).exit_code == 0
    before = (tmp_path / "latest").resolve()
    monkeypatch.setattr(export, "write_workbook", lambda *_: 1 / 0)
    assert run(platform, tmp_path).exit_code == 1
    assert (tmp_path / "latest").resolve() == before
    assert sorted(tmp_path.iterdir()) == [before, tmp_path / "latest"]


def test_a_killed_export_leaves_the_copy_before_it(platform, tmp_path):
    """Killed while it writes; the next one goes on and takes what was left away."""
    assert run(platform, tmp_path).exit_code == 0
    before = (tmp_path / "latest").resolve()
    killed = subprocess.Popen(
        [
            *(sys.executable, "scripts/export.py", "--output", tmp_path),
            *("--database", platform.warehouse, "--manifest", platform.manifest_json),
        ],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    while len(list(tmp_path.glob("copy-*/parquet/*"))) <= len(list(before.glob("parquet/*"))):
        assert killed.poll() is None
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert (tmp_path / "latest").resolve() == before
    assert len(list(tmp_path.glob("copy-*"))) == 2
    assert run(platform, tmp_path).exit_code == 0
    after = (tmp_path / "latest").resolve()
    assert sorted(tmp_path.iterdir()) == sorted([before, after, tmp_path / "latest"])


READER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print(connection.execute("select count(*) from report.headline").fetchone()[0], flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from report.headline").fetchone()[0])
"""


def test_a_reader_is_not_disturbed_and_the_next_sees_new_numbers(platform, new_project, tmp_path):
    """Files stay open while the warehouse is written and exported again."""
    project = new_project()
    project.warehouse.write_bytes(platform.warehouse.read_bytes())
    manifest = platform.manifest_json
    assert run(project, tmp_path, manifest).exit_code == 0
    latest = tmp_path / "latest"
    arguments = [sys.executable, "-c", READER, latest / "moderation_quality.duckdb"]
    reader = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    n_before = int(reader.stdout.readline())
    with (latest / "csv" / "headline.csv").open() as csv:
        heading = csv.readline()
        with duckdb.connect(project.warehouse) as warehouse:
            warehouse.execute("delete from report.headline where period_type = 'week'")
        assert run(project, tmp_path, manifest).exit_code == 0
        assert heading.startswith("metric_id") and len(csv.readlines()) == n_before
    said, _ = reader.communicate("\n", timeout=60)
    assert int(said) == n_before
    with duckdb.connect(latest / "moderation_quality.duckdb", read_only=True) as copied:
        (n_after,) = copied.execute("select count(*) from report.headline").fetchone()
    assert 0 < n_after < n_before


@pytest.mark.deep
def test_the_oldest_reader_opens_it(copy, tmp_path):
    """DuckDB 1.4.0, in an environment of its own: what docs/export.md promises."""
    venv.create(tmp_path / "old", with_pip=True)
    python = tmp_path / "old" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "duckdb==1.4.0"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip("DuckDB 1.4.0 cannot be installed here")
    read = (
        "import duckdb, sys; connection = duckdb.connect(sys.argv[1], read_only=True); "
        "print(duckdb.__version__, *connection.execute("
        "'select count(*) from report.headline union all "
        "from (select count(*) from read_parquet(?))', [sys.argv[2]]).fetchall())"
    )
    files = [copy / "moderation_quality.duckdb", copy / "parquet" / "headline.parquet"]
    said = subprocess.run(
        [python, "-c", read, *files], capture_output=True, text=True, check=True
    ).stdout
    with duckdb.connect(copy / "moderation_quality.duckdb", read_only=True) as database:
        (n,) = database.execute("select count(*) from report.headline").fetchone()
    assert said == f"1.4.0 ({n},) ({n},)\n"
