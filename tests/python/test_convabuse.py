"""Agreement on real labels: ConvAbuse through its connector, beside pandas and the libraries.

ConvAbuse is read in place. Where it is absent, each test here is skipped by name.
"""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import krippendorff
import numpy as np
import pandas as pd
import pytest
from oracles.agreement import recompute
from oracles.raw_tables import RawTables
from test_agreement import EXACT, assert_equals_the_oracle

ROOT = Path(__file__).parents[2]
FILE = ROOT.parent / "shared" / "real" / "convabuse" / "labels_long.csv"
DAY = pd.Timestamp("2021-11-07")

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="ConvAbuse is not there: ../shared/real/convabuse/labels_long.csv"
)


@pytest.fixture(scope="module")
def labels():
    """The file, with how often the annotator had labelled the turn before."""
    rows = pd.read_csv(FILE).sort_values("example_no")
    return rows.assign(repeat=rows.groupby(["item_key", "annotator_id"]).cumcount())


@pytest.fixture(scope="module")
def run(new_project):
    """A project of its own, and what scripts/convabuse.py said after building there."""
    project = new_project()
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "convabuse.py", FILE],
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
    with duckdb.connect(project.folder / "data" / "convabuse.duckdb", read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def oracle(labels, run, tmp_path_factory):
    """The marts from the file and the list of what is suppressed, by pandas and libraries."""
    raw = tmp_path_factory.mktemp("raw")
    suffix = labels["repeat"].map(lambda n: f" repeat {n}" if n else "")
    abusive = labels["severity"] < 0
    grades = {1: "none", 0: "low", -1: "medium", -2: "high", -3: "severe"}
    pd.DataFrame(
        {
            "session_id": labels["bot"] + suffix,
            "item_id": "turn-" + labels["item_key"].astype(str),
            "rater_id": labels["annotator_id"],
            "action_code": abusive.map({True: "remove", False: "no_action"}),
            "policy_id": abusive.map({True: "abuse", False: None}),
            "severity": labels["severity"].map(grades),
            "rated_at": DAY,
            "recorded_at": DAY,
        }
    ).to_parquet(raw / "calibration_ratings.parquet")
    people = pd.DataFrame({"person_id": labels["annotator_id"].unique(), "language": "en"})
    people.assign(valid_from=DAY, recorded_at=DAY).to_parquet(raw / "roster.parquet")
    return recompute(RawTables(raw, run[0].folder / "data" / "convabuse.duckdb"))


def overall(warehouse, kind):
    rows = warehouse.sql(
        "from rates.rater_agreement where period_type = 'month' "
        f"and dimension_name = 'overall' and label_kind = '{kind}'"
    ).df()
    return rows.set_index("coefficient", verify_integrity=True)


def test_every_number_is_that_of_the_libraries(warehouse, oracle):
    for mart in oracle:
        assert_equals_the_oracle(warehouse.sql(f"from {mart}").df(), oracle[mart], mart)


def test_every_label_is_compared_or_a_repeat(warehouse, labels):
    row = overall(warehouse, "severity").loc["gwets_ac1"]
    first = labels[labels["repeat"] == 0]
    assert row["n_ratings"] == len(first) == 12_411
    assert row["n_items"] == row["n"] == labels["item_key"].nunique() == 4_185
    assert row["n_raters"] == labels["annotator_id"].nunique() == 8
    assert row["n_excluded_ratings"] == row["n_repeated_rating"] == len(labels) - len(first)
    repeated = labels.groupby(["item_key", "annotator_id"]).size()
    assert (repeated > 1).sum() == 345, "as the publication's own count"


def test_alpha_of_the_published_grades_is_that_of_the_layer(warehouse, labels):
    """Straight from the file's grades, without the mapping to actions and severities."""
    first = labels[labels["repeat"] == 0]
    counts = pd.crosstab(first["item_key"], first["severity"]).to_numpy()
    rows = overall(warehouse, "severity")
    for level in ("nominal", "ordinal"):
        expected = krippendorff.alpha(value_counts=counts, level_of_measurement=level)
        found = rows.loc[f"krippendorffs_alpha_{level}", "estimate"]
        assert found == pytest.approx(expected, abs=EXACT)


def test_kappa_collapses_beside_ac1_where_abuse_is_rare(warehouse, run):
    rows = overall(warehouse, "action_group")
    found = rows["estimate"]
    assert found["percent_agreement"] == pytest.approx(0.905, abs=5e-4)
    assert found["gwets_ac1"] == pytest.approx(0.871, abs=5e-4)
    assert rows.loc["gwets_ac1", "standard_error"] == pytest.approx(0.0058, abs=5e-5)
    assert found["krippendorffs_alpha_nominal"] == pytest.approx(0.652, abs=5e-4)
    assert rows.loc["gwets_ac1", "is_reportable"]
    assert np.isnan(found["cohens_kappa"])
    assert rows.loc["cohens_kappa", "reason_code"] == "not_two_raters"
    assert "90.5 %" in run[1]


def test_annotators_are_compared_with_themselves(warehouse, labels, run):
    before = labels.groupby(["item_key", "annotator_id"])["severity"].shift()
    repeats = labels[labels["repeat"] > 0]
    same = repeats["severity"] == before[repeats.index]
    (row,) = (
        warehouse.sql(
            "from rates.quality_rates where period_type = 'month' and dimension_name = 'overall' "
            "and metric_id = 'self_consistency_calibration_severity'"
        )
        .fetchdf()
        .itertuples()
    )
    assert (row.n, row.n_successes, row.n_people) == (357, int(same.sum()), 8)
    assert row.estimate == pytest.approx(same.mean(), abs=EXACT)
    assert "92.2 %" in run[1]
    people = warehouse.sql("from restricted.quality_rates_by_person").fetchdf()
    assert len(people)
    assert not people["person_key"].str.contains("Annotator").any()
