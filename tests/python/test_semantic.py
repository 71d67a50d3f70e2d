"""The cube of all metrics and the semantic layer over it say what the published marts say."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from metric_flow import NAME, MetricFlow

EXACT = 1e-9
# A dimension of accuracy_rates, and the columns of the cube that make it.
SLICES = {
    "overall": [],
    "queue": ["queue_id"],
    "decided_by": ["decided_by_type"],
    "queue_and_decider": ["queue_id", "decided_by_type"],
}
ENTITIES = {"queue_id": "queue", "decided_by_type": "decider"}
PARTS = ["weighted_numerator", "weighted_denominator"]


@pytest.fixture(scope="module")
def published(platform):
    """The rates of months, by metric and slice."""
    return platform.query(f"""
        select {NAME} as metric_id, period_starts_on, dimension_name, dimension_value, estimate, n,
            reason_code
        from rates.accuracy_rates
        where period_type = 'month'
    """)


@pytest.fixture(scope="module")
def cube(platform):
    return platform.query(f"select * replace ({NAME} as metric_id) from report.metric_cube")


def rates_of(cube, dimension):
    """The rates that follow from the cube, by metric, month and value of a dimension."""
    columns = SLICES[dimension]
    value = cube[columns].agg(" | ".join, axis=1) if columns else pd.Series("all", cube.index)
    by = [cube["metric_id"], cube["month_starts_on"].rename("period_starts_on"),
          value.rename("dimension_value")]  # fmt: skip
    sums = cube.groupby(by)[[*PARTS, "n"]].sum()
    sums["rate"] = sums["weighted_numerator"] / sums["weighted_denominator"]
    return sums.reset_index()


def compared(rates, published, dimension):
    """Rates beside the published ones."""
    of = published[(published["dimension_name"] == dimension) & published["estimate"].notna()]
    return rates.merge(
        of, on=["metric_id", "period_starts_on", "dimension_value"], suffixes=("", "_published")
    )


@pytest.mark.parametrize("dimension", SLICES)
def test_every_metric_of_the_cube_is_the_published_one(cube, published, dimension):
    both = compared(rates_of(cube, dimension), published, dimension)
    assert len(both) > 10
    if dimension == "overall":
        assert set(both["metric_id"]) == set(published["metric_id"])
    np.testing.assert_allclose(both["rate"], both["estimate"], rtol=EXACT, atol=EXACT)
    np.testing.assert_array_equal(both["n"], both["n_published"])


def test_what_is_not_known_by_policy_is_not_by_policy(cube):
    misses = {"false_negative_rate", "false_positive_rate", "false_negative_share",
              "false_negative_harm"}  # fmt: skip
    is_miss = cube["metric_id"].isin(misses)
    assert set(cube.loc[is_miss, "policy_parent_id"]) == {"not_by_policy"}
    assert "not_by_policy" not in set(cube.loc[~is_miss, "policy_parent_id"])


def test_the_cubes_withhold_the_same_cells(platform, cube):
    keys = ["month_starts_on", "queue_id", "policy_parent_id", "decided_by_type"]
    shown = platform.query("from report.accuracy_cube where n_audits > 0").set_index(keys)
    accuracy = cube[(cube["metric_id"] == "accuracy") & (cube["n"] > 0)].set_index(keys)
    both = shown.join(accuracy, rsuffix="_of_metrics", how="outer")
    for name in PARTS:
        np.testing.assert_allclose(both[name], both[f"{name}_of_metrics"], rtol=EXACT)
    assert shown["is_withheld"].sum() == 0


# --- MetricFlow --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def metricflow(platform, tmp_path_factory):
    return MetricFlow(platform, tmp_path_factory.mktemp("metricflow"))


def asked(metricflow, metrics, dimension):
    """The rates that `mf query` says, by metric, month and value of a dimension."""
    columns = [ENTITIES[name] for name in SLICES[dimension]]
    rows = metricflow.query(
        "--metrics", ",".join(metrics), "--group-by", ",".join(["metric_time__month", *columns])
    )  # fmt: skip
    value = rows[columns].agg(" | ".join, axis=1) if columns else pd.Series("all", rows.index)
    months = pd.to_datetime(rows["metric_time__month"])
    rows = rows.assign(dimension_value=value, period_starts_on=months)
    return rows.melt(
        ["period_starts_on", "dimension_value"], list(metrics), "metric_id", "rate"
    ).dropna(subset="rate")


@pytest.mark.parametrize("dimension", ["queue", "queue_and_decider"])
def test_metricflow_says_what_the_marts_say(metricflow, published, dimension):
    """Every metric of the cube in one query; about ten seconds each."""
    metrics = sorted(set(published["metric_id"]))
    both = compared(asked(metricflow, metrics, dimension), published, dimension)
    assert len(both) >= 90
    assert set(both["metric_id"]) == set(metrics)
    np.testing.assert_allclose(both["rate"], both["estimate"], rtol=EXACT, atol=EXACT)


def test_a_metric_without_its_filter_is_seen(metricflow, published):
    right = metricflow.manifest.read_text()
    wrong = json.loads(right)
    for metric in wrong["metrics"]:
        if metric["name"] == "accuracy":
            metric["filter"] = None
    metricflow.manifest.write_text(json.dumps(wrong))
    both = compared(asked(metricflow, ["accuracy"], "queue"), published, "queue")
    metricflow.manifest.write_text(right)
    assert len(both)
    assert (both["rate"] - both["estimate"]).abs().min() > EXACT


def test_the_semantic_layer_is_valid_and_its_saved_queries_answer(metricflow):
    run = metricflow.run("validate-configs", "--skip-dw")
    assert run.returncode == 0, run.stdout
    assert re.search(r"ERRORS: 0", run.stdout), run.stdout
    rows = metricflow.query("--saved-query", "accuracy_by_month")
    assert {"accuracy", "target_accuracy", "eligible_decisions"} < set(rows)
    assert len(rows) >= 2
    assert rows["accuracy"].between(0.5, 1).all()
