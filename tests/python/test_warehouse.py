"""That a warehouse cannot be built is said before dbt starts, in a line and without a traceback."""

import os
import subprocess
import sys

import duckdb
import pytest
from projects import ROOT

OTHER = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
# Root may write to what is read-only; without this capability it is as anybody.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
# What starts a build, and reads a built warehouse.
STARTS = {
    "make build": ["scripts/warehouse.py"],
    "make own": ["scripts/own.py", "seeds", "--database", "{}"],
    "make report": ["scripts/report.py", "page", "--database", "{}", "--manifest", "{manifest}"],
}


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "x.duckdb"
    duckdb.connect(file).close()
    file.with_name("manifest.json").write_text('{"nodes": {}}', encoding="utf-8")
    return file


def start(name, database):
    manifest = database.with_name("manifest.json")
    return subprocess.run(
        [
            *AS_ANYBODY,
            sys.executable,
            *(part.format(database, manifest=manifest) for part in STARTS[name]),
        ],
        cwd=ROOT,
        env=os.environ | {"MODERATION_QUALITY_DATABASE": str(database)},
        capture_output=True,
        text=True,
        check=False,
    )


def said_in_one_line(run):
    assert run.returncode == 1, run.stdout + run.stderr
    (line,) = run.stderr.strip().splitlines()
    assert "MODERATION_QUALITY_DATABASE" in line
    return line


@pytest.mark.parametrize("name", STARTS)
def test_a_locked_warehouse_is_said(database, name):
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        said = said_in_one_line(start(name, database))
        other.communicate("\n")
    assert f"{database} is open in another program" in said
    assert f"process {other.pid}" in said
    if name == "make build":
        assert start(name, database).returncode == 0


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_warehouse_is_said(database, what):
    path = database if what == "file" else database.parent
    path.chmod(0o555)
    try:
        assert f"{path} is read-only" in said_in_one_line(start("make build", database))
    finally:
        path.chmod(0o755)


def test_make_build_looks_before_dbt_starts():
    run = subprocess.run(
        ["make", "--dry-run", "warehouse"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, _, _ = run.stdout.partition("dbt build")
    assert "python scripts/warehouse.py" in before


def test_what_is_no_warehouse_is_said(database):
    database.write_text("a table of contents, and no table" * 1000)
    assert "not a valid DuckDB database file" in said_in_one_line(start("make build", database))


def test_a_warehouse_that_is_not_there_yet_can_be_built(tmp_path):
    (tmp_path / "new").mkdir()
    assert start("make build", tmp_path / "new" / "x.duckdb").returncode == 0
