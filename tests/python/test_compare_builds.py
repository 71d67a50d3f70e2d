"""Two builds are compared row by row, and what changed is said."""

import json

import compare_builds
import duckdb
import pytest
from click.testing import CliRunner

ROWS = "('a', 1, 0.5::double), ('b', 2, null), ('c', null, 0.25)"
MANIFEST = {
    "nodes": {
        "model.p.rates": {
            "name": "rates",
            "resource_type": "model",
            "config": {"meta": {"key": ["k"]}},
        }
    }
}


@pytest.fixture
def compare(tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFEST))

    def run(after, *options):
        for name, sql in {
            "before": f"select * from (values {ROWS}) as t (k, n, x)",
            "after": after,
        }.items():
            with duckdb.connect(tmp_path / f"{name}.duckdb") as database:
                database.execute(f"create schema s; create table s.rates as {sql}")
        return CliRunner().invoke(
            compare_builds.main,
            [
                str(tmp_path / "before.duckdb"),
                *("--after", str(tmp_path / "after.duckdb"), "--manifest", str(manifest)),
                *options,
            ],
        )

    return run


def test_equal_builds_are_equal(compare):
    found = compare(f"select * from (values {ROWS}) as t (k, n, x) order by k desc")
    assert found.exit_code == 0, found.output
    assert "1 of 1 tables are equal" in found.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("* replace (case when k = 'a' then x + 1e-9 else x end as x)", "x (1)"),
        ("* replace (coalesce(n, 0) as n)", "n (1)"),
        ("* replace (case when k = 'c' then 'd' else k end as k)", "1 │       1"),
    ],
)
def test_what_differs_is_named(compare, change, said):
    found = compare(f"select {change} from (values {ROWS}) as t (k, n, x)")
    assert found.exit_code == 1, found.output
    assert said in found.output


def test_a_renamed_column_is_compared_under_its_new_name(compare):
    renamed = f"select k, n as m, x from (values {ROWS}) as t (k, n, x)"
    found = compare(renamed)
    assert found.exit_code == 0
    assert "s.rates.n" in found.output
    assert "s.rates.m" in found.output


def test_a_renamed_column_that_changed_differs(compare):
    changed = f"select k, n + 1 as m, x from (values {ROWS}) as t (k, n, x)"
    found = compare(changed, "--renamed", "rates.n=m")
    assert found.exit_code == 1
    assert "m (2)" in found.output


def test_a_rename_of_another_form_is_refused(compare):
    found = compare(f"select * from (values {ROWS}) as t (k, n, x)", "--renamed", "n=m")
    assert found.exit_code == 2
    assert "table.old_column=new_column" in found.output
