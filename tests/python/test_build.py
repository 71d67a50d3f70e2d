"""Building again gives the same marts, to the last bit; building as of a day, what was known."""

import functools
import re
import shutil

import duckdb
import pandas as pd
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from numpy.random import default_rng
from projects import differing_rows
from worlds import COMMANDS

# Four weeks in, with audits of all four still to come.
AS_OF = pd.Timestamp("2026-08-31 12:00")
# What says when the data was looked at, and not what was known of it.
OF_THE_LOOK = ("as_of", "n_delivered", "n_recorded_after_as_of")


@pytest.fixture(scope="module")
def raw(platform):
    return platform.raw


@pytest.fixture(scope="module")
def built(platform):
    return platform.warehouse


@pytest.fixture(scope="module")
def warehouse_of(new_project):
    """A function that builds raw data in this process, and returns where the warehouse is."""

    def build(raw, *arguments):
        project = new_project()
        project.raw.symlink_to(raw)
        run = project.build(*arguments, data_tests=False)
        assert run.returncode == 0, run.stdout
        return project.warehouse

    return build


@pytest.fixture(scope="module")
def as_of(warehouse_of, raw):
    return warehouse_of(raw, "--vars", f"{{as_of: '{AS_OF}'}}")


@pytest.mark.parametrize("command", COMMANDS)
def test_dbt_build_test_and_docs_need_no_flags(platform, command):
    said = (platform.folder / "said" / command).read_text()
    if command == "docs":
        assert "Catalog written to" in said
    else:
        n_passed, rest = re.search(r"Done\. PASS=(\d+) (.*)", said).groups()
        assert int(n_passed) > 250
        assert rest.startswith("WARN=0 ERROR=0 SKIP=0")


def test_another_build_of_the_same_rows_is_identical(built, warehouse_of, raw, tmp_path):
    """Of rows in another order and in other files, on one thread, where the first had two."""
    rng = default_rng(5)
    for source in raw.iterdir():
        table = ds.dataset(source).to_table()
        table = table.take(rng.permutation(len(table)))
        folder = tmp_path / "raw" / source.stem
        folder.mkdir(parents=True)
        third = len(table) // 3 + 1
        for part in range(3):
            pq.write_table(table.slice(part * third, third), folder / f"{part}.parquet")
    assert differing_rows(built, warehouse_of(tmp_path / "raw")) == {}


def test_as_of_gives_what_was_known_then(as_of, warehouse_of, raw, tmp_path):
    for source in raw.iterdir():
        table = ds.dataset(source).to_table()
        known = table.filter(pc.less_equal(table["recorded_at"], AS_OF))
        (tmp_path / "raw").mkdir(exist_ok=True)
        pq.write_table(known, tmp_path / "raw" / f"{source.stem}.parquet")
    # What is open waits until the same moment.
    known = warehouse_of(tmp_path / "raw", "--vars", f"{{as_of: '{AS_OF}'}}")
    differing = differing_rows(as_of, known, ignore=OF_THE_LOOK)
    # The ledger counts what was delivered, whether or not it was known by then; so do the checks.
    assert differing.keys() == {
        "reconciliation.reconciliation_checks",
        "restricted.deliveries",
        "restricted.int_reconciliation__compared",
        "staging.int_deliveries__raw_days",
    }


def test_what_becomes_known_later_restates_earlier_weeks(as_of, built):
    with duckdb.connect() as db:
        db.execute(f"attach '{as_of}' as l (read_only)")
        db.execute(f"attach '{built}' as r (read_only)")
        weeks = db.execute(
            """
            select period_starts_on, l.n, r.n, l.estimate, r.estimate
            from l.rates.accuracy_rates as l
            inner join r.rates.accuracy_rates as r
                using (
                    metric_id, metric_version, period_type, period_starts_on, dimension_name,
                    dimension_value
                )
            where
                metric_id = 'accuracy' and metric_version = 1 and period_type = 'week'
                and dimension_name = 'overall'
            order by period_starts_on
            """
        ).fetchall()
    assert len(weeks) >= 4
    # Every week that had ended gained late audits; the first had most of its own by then.
    for _, known_then, known_now, then, now in weeks[:4]:
        assert known_then < known_now
        assert then != now
    assert weeks[0][1] > 0.8 * weeks[0][2]


def test_the_comparison_sees_a_last_bit_a_null_and_a_lost_row(built, tmp_path):
    other = tmp_path / "other.duckdb"
    shutil.copy(built, other)
    with duckdb.connect(other) as db:
        ((key,),) = db.execute(
            "select min(rowid) from rates.accuracy_rates where estimate between 0.5 and 0.99"
        ).fetchall()
        db.execute(
            "update rates.accuracy_rates set estimate = estimate + 1.2e-16 where rowid = ?",
            [key],
        )
        db.execute(
            "update facts.fct_decisions set views_at_decision = null "
            "where decision_id = (select min(decision_id) from facts.fct_decisions "
            "where views_at_decision is not null)"
        )
        db.execute(
            "delete from report.dim_queues "
            "where queue_id = (select min(queue_id) from report.dim_queues)"
        )
    assert differing_rows(built, other) == {
        "rates.accuracy_rates": 2,
        "report.dim_queues": 1,
        "facts.fct_decisions": 2,
    }


def test_what_a_tolerance_does_not_bear_holds_back_the_rates(parsed_project):
    """dbt holds a model back if it depends on all that a failing test reads, the tolerances too."""
    nodes = parsed_project.nodes
    parents = {
        name: set(node.get("depends_on", {}).get("nodes", ())) for name, node in nodes.items()
    }

    @functools.cache
    def above(name):
        return set().union(*({one} | above(one) for one in parents.get(name, ())))

    rates = {
        name: above(name)
        for name, node in nodes.items()
        if node["resource_type"] == "model" and "is_reportable" in node["columns"]
    }
    assert len(rates) > 10
    tests = [
        name
        for name, read in parents.items()
        if name.startswith("test.") and any(one.endswith(".tolerances") for one in read)
    ]
    assert len(tests) > 30
    free = {
        (nodes[test]["name"], nodes[mart]["name"])
        for test in tests
        for mart, read in rates.items()
        # Of several tables the first is what is tested, the others are lists of names.
        if (nodes[test].get("attached_node") or min(parents[test])) in read
        if not parents[test] <= read
    }
    assert free == set()
