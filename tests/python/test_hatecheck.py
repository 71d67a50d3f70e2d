"""The layer on real labels: the draw, the truth it is held against, and what is published of it.

HateCheck is read in place. Where it is absent, each test here is skipped by name.
"""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import oracle
import pandas as pd
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
FILE = ROOT.parent / "shared" / "real" / "hatecheck" / "all_annotations.csv"
ANNOTATORS = [f"label_{n}" for n in range(1, 11)]

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="HateCheck is not there: ../shared/real/hatecheck/all_annotations.csv"
)


@pytest.fixture(scope="module")
def labels():
    """One row per label in the file: the case, its gold label, and whether they agree."""
    cases = pd.read_csv(FILE)
    long = cases.melt(
        id_vars=["case_id", "functionality", "label_gold"],
        value_vars=ANNOTATORS,
        value_name="label",
    ).dropna(subset="label")
    long["queue_id"] = long["functionality"].str.split("_").str[0]
    return long.assign(is_correct=long["label"] == long["label_gold"])


@pytest.fixture(scope="module")
def run(new_project):
    """A project of its own, and what scripts/hatecheck.py said after building there."""
    project = new_project()
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "hatecheck.py", FILE],
        cwd=project.folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return project, done.stdout


@pytest.fixture(scope="module")
def warehouse(run):
    project, _ = run
    with duckdb.connect(project.folder / "data" / "hatecheck.duckdb", read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def rebuild(new_project):
    """A function that builds the models on HateCheck with other variables."""

    def build(variables, *selection):
        project = new_project("hatecheck")
        done = project.build(
            *selection, "--vars", f"{{raw_connector: hatecheck, {variables}}}", data_tests=False
        )
        assert done.returncode == 0, done.stdout
        return project

    return build


@pytest.fixture(scope="module")
def overall(warehouse):
    rows = warehouse.sql(
        "from reconciliation.hatecheck_accuracy where dimension_name = 'overall'"
    ).df()
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_true_accuracy_is_that_of_the_file(overall, labels, run):
    assert (int(labels["is_correct"].sum()), len(labels)) == (19188, 19505)
    assert overall["n_decisions"] == 19505
    assert overall["true_accuracy"] == pytest.approx(19188 / 19505, abs=1e-15)
    assert "98.375 %" in run[1]


def test_the_weighted_interval_holds_the_truth_and_the_pooled_one_misses_it(overall):
    truth = 19188 / 19505
    assert overall["weighted_ci_low"] <= truth <= overall["weighted_ci_high"]
    assert overall["pooled_ci_high"] < truth
    assert overall["is_covered_by_weighted"]
    assert not overall["is_covered_by_pooled"]
    # Not by being wide: the weighted interval is the narrower one.
    assert (
        overall["weighted_ci_high"] - overall["weighted_ci_low"]
        < overall["pooled_ci_high"] - overall["pooled_ci_low"]
    )


def test_the_published_facts_are_held_against_the_file(warehouse, labels, run):
    facts = warehouse.sql("from reconciliation.hatecheck_published_facts").df()
    facts = facts.set_index("fact")[["published", "in_file", "is_equal"]]
    agreeing = labels.groupby("case_id")["is_correct"].sum()
    expected = {
        "cases": (3901, len(agreeing)),
        "valid cases (at least 4 of 5 annotators agree with the gold label)": (
            3728,
            int((agreeing >= 4).sum()),
        ),
        "cases left out (fewer than 4 of 5 agree)": (173, int((agreeing < 4).sum())),
        "functional tests": (29, labels["functionality"].nunique()),
        "annotators": (10, labels["variable"].nunique()),
    }
    for fact, (published, in_file) in expected.items():
        row = facts.loc[fact]
        assert (row["published"], row["in_file"]) == (published, in_file), fact
        assert row["is_equal"] == (published == in_file), fact
    breaks = warehouse.sql(
        "select dimension_value from reconciliation.reconciliation_checks "
        "where check_name = 'published_facts' and status = 'break'"
    ).fetchall()
    assert {fact for (fact,) in breaks} == set(facts.index[~facts["is_equal"]])
    assert len(breaks) >= 2
    # The publication's count of cases is right, its two others are not those of its file.
    assert expected["cases"] == (3901, 3901)
    assert expected["cases left out (fewer than 4 of 5 agree)"][1] == 22
    assert f"{int((~facts['is_equal']).sum())} of {len(facts)} differ" in run[1]


def drawn_ids(connection):
    rows = connection.sql("select decision_id from raw_connector.hatecheck__audits").fetchall()
    return [decision_id for (decision_id,) in rows]


def test_the_draw_is_without_replacement_and_as_planned(warehouse, labels):
    drawn = drawn_ids(warehouse)
    assert len(drawn) == len(set(drawn))
    strata = warehouse.sql(
        """
        select frame.queue_id, frame.action_group, frame.population_size,
            frame.planned_sample_size, count(audits.audit_id) as n_drawn
        from raw_connector.hatecheck__sampling_frame as frame
        left join raw_connector.hatecheck__audits as audits using (stratum_id)
        group by all
        """
    ).df()
    assert (strata["n_drawn"] == strata["planned_sample_size"]).all()
    assert abs(len(drawn) - 600) < 30
    group = labels["label"].map({"hateful": "enforced", "non-hateful": "not_enforced"})
    counted = labels.groupby(["queue_id", group]).size()
    framed = strata.set_index(["queue_id", "action_group"])["population_size"]
    assert framed.to_dict() == counted.to_dict()


@pytest.mark.deep
def test_the_oracle_agrees_on_real_labels(run, warehouse, tmp_path):
    project, _ = run
    tables = warehouse.sql(
        "select table_name from information_schema.tables where table_schema = 'raw_connector'"
    ).fetchall()
    assert len(tables) >= 7
    for (name,) in tables:
        if name != "hatecheck__labels":
            file = tmp_path / "raw" / f"{name.removeprefix('hatecheck__')}.parquet"
            file.parent.mkdir(exist_ok=True)
            warehouse.sql(f"copy (from raw_connector.{name}) to '{file}'")
    result = CliRunner().invoke(
        oracle.main,
        [
            *("--raw", str(tmp_path / "raw")),
            *("--warehouse", str(project.folder / "data" / "hatecheck.duckdb")),
            *("--manifest", str(project.folder / "target" / "hatecheck" / "manifest.json")),
        ],
    )
    assert result.exit_code == 0, result.output


def test_another_seed_draws_other_labels(warehouse, rebuild):
    project = rebuild(
        f"hatecheck_seed: 2, hatecheck_file: {FILE}", "--select", "+hatecheck__audits"
    )
    with duckdb.connect(project.warehouse, read_only=True) as other:
        ours, theirs = set(drawn_ids(warehouse)), set(drawn_ids(other))
    assert len(ours) == len(theirs)
    # Where strata are small they share labels by chance; 613 of 19,505 share few.
    assert len(ours & theirs) < 0.2 * len(ours)


@pytest.mark.deep
def test_a_second_run_is_an_increment_of_nothing(rebuild):
    """What an increment refers to is known to dbt, though it looks for it in a full build."""
    project = rebuild(f"hatecheck_file: {FILE}")
    before = project.query("from rates.accuracy_rates order by all")
    run = project.build(
        "--vars", f"{{raw_connector: hatecheck, hatecheck_file: {FILE}}}", data_tests=False
    )
    assert run.returncode == 0, run.stdout
    assert "incremental" in run.stdout
    after = project.query("from rates.accuracy_rates order by all")
    assert len(before) > 0
    assert before.equals(after)


def test_the_truth_of_a_label_that_was_not_drawn_changes_nothing(warehouse, rebuild, tmp_path):
    """The census is in no model: with other gold labels where no audit looked, all is the same.

    So the draw is deterministic too: this is another build with the same seed.
    """
    drawn_cases = {int(name.split("-")[1]) for name in drawn_ids(warehouse)}
    cases = pd.read_csv(FILE, index_col=0)
    queue = cases["functionality"].str.split("_").str[0]
    # Where all gold labels of a queue agree, one that differs would change the queue's risk tier.
    is_mixed = cases["label_gold"].groupby(queue).transform("nunique") == 2
    keeps_both = cases["case_id"].isin(drawn_cases)
    flipped = is_mixed & ~keeps_both
    assert flipped.sum() > 500
    other = {"hateful": "non-hateful", "non-hateful": "hateful"}
    cases.loc[flipped, "label_gold"] = cases.loc[flipped, "label_gold"].map(other)
    assert (cases["label_gold"].groupby(queue).transform("nunique") == 2).equals(is_mixed)
    cases.to_csv(tmp_path / "flipped.csv")

    project = rebuild(f"hatecheck_file: {tmp_path / 'flipped.csv'}")
    with duckdb.connect(project.warehouse, read_only=True) as flipped_db:
        changed = {
            name
            for (name,) in warehouse.sql(
                "select schema_name || '.' || table_name from duckdb_tables()"
            ).fetchall()
            if sorted(map(str, flipped_db.sql(f"from {name}").fetchall()))
            != sorted(map(str, warehouse.sql(f"from {name}").fetchall()))
        }
    # Only what is there to hold the truth, what compares with it, and the ledger of builds, which
    # tells the two files apart by their names.
    assert changed == {
        "restricted.deliveries",
        "reconciliation.hatecheck_accuracy",
        "reconciliation.hatecheck_published_facts",
        "restricted.int_reconciliation__compared",
        "reconciliation.reconciliation_checks",
    }
