"""The headline prints the mart's numbers, and nothing that was not measured as a number."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import duckdb
import headline
import pandas as pd
import pytest
from click.testing import CliRunner
from reporting import words
from simulator.world import Settings

ANALYSES = Path(__file__).parents[2] / "analyses"
COLUMNS = ["month", "status", "of", "decisions", "audits", "accuracy", "interval", "unweighted"]
COLUMNS += ["covered", "reason"]


@pytest.fixture(scope="module")
def project(platform, new_project):
    """The platform with its first month final, so that the queues are shown too."""
    project = new_project()
    shutil.copy(platform.warehouse, project.warehouse)
    shutil.copy(platform.manifest_json, project.folder / "target")
    with duckdb.connect(project.warehouse) as warehouse:
        ((n,),) = warehouse.execute(
            "update report.dim_periods set accuracy_status = 'final' "
            "where period_type = 'month' and period_starts_on = date '2026-08-01'"
        ).fetchall()
        assert n > 0
    return project


def run_headline(project, monkeypatch, *arguments):
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("MODERATION_QUALITY_DATABASE", raising=False)
    return CliRunner().invoke(headline.main, arguments)


def printed_rows(output):
    """The rows of the table as {column: text}; what was wrapped into a second line is joined."""
    rows = []
    for line in output.splitlines():
        if not line.startswith("│"):
            continue
        row = dict(zip(COLUMNS, map(str.strip, line.strip("│").split("│")), strict=True))
        if row["month"]:
            rows.append(row)
        else:
            rows[-1] = {column: f"{rows[-1][column]} {row[column]}".strip() for column in COLUMNS}
    return rows


def percent(share):
    return "–" if pd.isna(share) else f"{100 * share:.1f} %"


def test_it_prints_the_numbers_of_the_mart(project, monkeypatch):
    run = run_headline(project, monkeypatch)
    assert run.exit_code == 0, run.output
    rows = printed_rows(run.output)
    mart = project.query(
        "from rates.accuracy_rates "
        "inner join report.dim_periods using (period_type, period_starts_on) "
        # Nothing is decided in the queue of appeals that could be accurate.
        "where metric_id = 'accuracy' and metric_version = 1 "
        "and period_type = 'month' and n_eligible_decisions > 0 "
        "and (dimension_name = 'overall' "
        "or dimension_name = 'queue' and period_starts_on = date '2026-08-01')"
    )
    assert len(rows) == len(mart) == 6
    for expected in mart.itertuples():
        name = "all decisions" if expected.dimension_name == "overall" else expected.dimension_value
        (row,) = (
            row
            for row in rows
            if row["of"] == name and row["month"] == f"{expected.period_starts_on:%Y-%m}"
        )
        assert row["status"] == expected.accuracy_status
        assert row["decisions"] == f"{expected.n_eligible_decisions:,}"
        assert row["audits"] == f"{expected.n:,}"
        assert row["accuracy"] == percent(expected.estimate)
        low, high = percent(expected.ci_low), percent(expected.ci_high)
        assert row["interval"] == f"{low.removesuffix(' %')} to {high}"
        assert row["unweighted"] == percent(expected.unweighted_rate)
        assert row["covered"] == percent(expected.coverage_rate)
        assert row["reason"] == (
            "" if pd.isna(expected.reason_code) else expected.reason_code.replace("_", " ")
        )


def test_what_is_missing_is_a_dash_and_never_a_zero(project, monkeypatch, tmp_path):
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(project.warehouse, warehouse)
    missing = ["estimate", "ci_low", "ci_high", "unweighted_rate", "coverage_rate"]
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            f"update rates.accuracy_rates set {', '.join(f'{c} = null' for c in missing)}, "
            "reason_code = 'no_audits' where period_type = 'month' and "
            "metric_id = 'accuracy' and metric_version = 1 "
            "and dimension_name = 'overall' and period_starts_on = date '2026-09-01'"
        )
    run = run_headline(project, monkeypatch, "--database", str(warehouse))
    assert run.exit_code == 0, run.output
    september, august = (
        next(row for row in printed_rows(run.output) if row["month"] == month)
        for month in ("2026-09", "2026-08")
    )
    shown = ("accuracy", "interval", "unweighted", "covered")
    assert [september[column] for column in shown] == ["–"] * 4
    assert september["reason"] == "no audits"
    assert "–" not in [august[column] for column in shown]
    assert words.percent(0.0) == "0.0 %"  # measured, and nothing was right


@pytest.mark.parametrize("absent", ["database", "manifest"])
def test_what_was_not_built_is_one_clear_error(project, monkeypatch, tmp_path, absent):
    path = tmp_path / f"no-{absent}"
    run = run_headline(project, monkeypatch, f"--{absent}", str(path))
    assert run.exit_code == 1
    assert run.output.splitlines() == [f"Error: {path} is not there: run `make build` first."]


def test_a_model_that_was_not_built_is_named(project, monkeypatch, tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {}}))
    run = run_headline(project, monkeypatch, "--manifest", str(manifest))
    assert run.exit_code == 1
    assert run.output == "Error: accuracy_rates was not built: run `make build` first.\n"


def test_the_readme_shows_the_headline_of_the_sample_data():
    """The README's table is what `make build` prints, line by line."""
    root = ANALYSES.parent
    world = root / "data" / "truth" / "world.json"
    if not world.exists():
        pytest.skip("no sample data: run make build")
    settings = json.loads(world.read_text())["settings"]
    if settings != json.loads(json.dumps(asdict(Settings()), default=str)):
        pytest.skip("data/ holds another world than the README's")
    run = subprocess.run(
        [sys.executable, "scripts/headline.py"],
        cwd=root,
        env=os.environ | {"MODERATION_QUALITY_DATABASE": "data/warehouse.duckdb"},
        capture_output=True,
        text=True,
        check=True,
    )
    readme = (root / "README.md").read_text().splitlines()
    table = [line.rstrip() for line in run.stdout.splitlines() if line.startswith("│")]
    assert len(table) > 10
    assert [line for line in readme if line.startswith("│")] == table
