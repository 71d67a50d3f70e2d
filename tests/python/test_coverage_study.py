"""The coverage study: small runs of it, what its verdict catches, whether its page is stale."""

import itertools
import re

import coverage_study
import numpy as np
import pytest
from click.testing import CliRunner
from coverage_study import (
    ESTIMATOR,
    GRIDS,
    PEERS,
    PLANS,
    POLICY_METRICS,
    PROJECT,
    SCORES,
    Scenario,
    allocate,
    fingerprint,
    grid,
    judge_scores,
    korn_graubard,
    main,
    people,
    policies,
    population,
    report,
    study,
)
from project_sql import render
from rich.console import Console
from scipy import stats

PAGE = PROJECT / "docs" / "coverage_study.md"
REPLICATIONS = 200


@pytest.fixture(scope="module")
def sql():
    return render(ESTIMATOR)


def few() -> list[Scenario]:
    """The plans with 200 audits of eight strata at two accuracies, errors where expected."""
    return [
        scenario
        for scenario in grid()
        if scenario.errors == "where expected"
        and len(scenario.strata) == 8
        and scenario.n_audits == 200
        and round(scenario.accuracy, 3) in (0.85, 0.95)
    ]


def run(sql, seed=7):
    return study(few(), REPLICATIONS, seed, sql, Console(quiet=True))


def test_a_small_study_is_sane_and_repeats_itself(sql):
    rows = run(sql)
    assert len(rows[rows.level == "overall"]) == 2 * len(PLANS)
    assert (rows.level == "queue").sum() > len(PLANS)
    noise = 4 * rows.sd / np.sqrt(REPLICATIONS) + 1e-4
    assert (rows.bias.abs() < noise).all()
    assert rows.published_coverage.between(0.88, 1).all()
    assert (rows.no_interval == 0).all()
    proportional = rows[(rows.plan == "proportional") & (rows.level == "overall")]
    np.testing.assert_allclose(proportional.mean_se, proportional.sd, rtol=0.2)
    again = run(sql)
    scores = people(20, 7, render(SCORES))
    first, second = (report(one, scores, REPLICATIONS, 7, sql) for one in (rows, again))
    assert first == second
    assert not rows.equals(run(sql, seed=8))


def test_a_draw_does_not_hang_on_its_neighbours(sql):
    scenarios = few()
    whole = study(scenarios, 50, 7, sql, Console(quiet=True))
    last = study(scenarios[-1:], 50, 7, sql, Console(quiet=True))
    np.testing.assert_allclose(
        whole[whole.scenario == len(scenarios) - 1].published_width, last.published_width
    )


BROKEN = {
    "pooled as if weighted": ("design.weight,", "cast(1 as double) as weight,"),
    "nine times the audits": ("end as effective_n", "end * 9 as effective_n"),
    "no interval": ("end as effective_n", "end * null as effective_n"),
}


@pytest.mark.parametrize("fault", [None, *BROKEN])
def test_check_fails_a_broken_estimator(sql, fault, monkeypatch, tmp_path):
    right, wrong = BROKEN.get(fault, ("", ""))
    assert fault is None or sql.count(right) == 1
    rendered = {ESTIMATOR: sql.replace(right, wrong) if fault else sql, SCORES: render(SCORES)}
    monkeypatch.setattr(coverage_study, "render", rendered.get)
    monkeypatch.setattr(coverage_study, "grid", lambda: iter(few()))
    # So few replications cannot hold policies to the criteria.
    monkeypatch.setattr(coverage_study, "policies", lambda *_: None)
    options = ["--replications", str(REPLICATIONS), "--seed", "7"]
    options += ["--output", str(tmp_path / "page.md"), "--hatecheck-file", str(tmp_path / "none")]
    result = CliRunner().invoke(main, [*options, "--check"])
    assert result.exit_code == (1 if fault else 0), result.output
    assert "HateCheck is skipped" in result.output
    page = (tmp_path / "page.md").read_text()
    assert ("**FAIL**" in page) == bool(fault)
    # Without --check the page is written and that is all.
    assert CliRunner().invoke(main, options).exit_code == 0


def test_of_policies_all_metrics_are_studied_and_half_an_unseen_miss_is_allowed_for(sql):
    rows = policies(100, 7, sql)
    assert set(rows.level) == set(POLICY_METRICS)
    assert rows.groupby(["n_audits", "level"]).size().min() > 3
    noise = 4 * rows.sd / np.sqrt(100) + 1e-4
    assert (rows.bias.abs() < noise).mean() > 0.95
    assert rows.published_coverage.mean() > 0.93
    recall = rows[rows.level == "recall"]
    blind = policies(
        100, 7, sql.replace("typical_weight is null", "true or typical_weight is null")
    )
    blind_recall = blind[blind.level == "recall"]
    assert blind_recall.published_coverage.mean() < recall.published_coverage.mean() - 0.05


def test_scores_are_nearer_to_the_truth_than_raw_rates_and_the_verdict_sees_when_not():
    scores = people(60, 3, render(SCORES))
    assert len(scores) == len(PEERS)
    assert judge_scores(scores)[-1]
    assert (scores["score_error"] / scores["raw_error"]).mean() < 0.6
    assert scores["coverage"].min() > 0.8
    assert scores["coverage"].mean() > 0.9
    broken = people(60, 3, render(SCORES).replace("peer_mean +", "peer_mean + 0.1 +"))
    assert not judge_scores(broken)[-1]


def test_a_missing_interval_does_not_cover(sql):
    right, wrong = BROKEN["no interval"]
    rows = run(sql.replace(right, wrong))
    assert (rows.no_interval == 1).all()
    assert (rows.published_coverage == 0).all()


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("n_audits", GRIDS["grid"][1])
def test_allocations_add_up(plan, n_audits):
    strata = population(8, 0.95, "even")
    shares = allocate(plan, strata, n_audits)
    assert shares.sum() == n_audits
    assert shares.min() >= 1
    assert (shares <= strata.population_size).all()


@pytest.mark.parametrize("errors", coverage_study.SPREADS)
def test_populations_have_the_accuracy_that_they_say(errors):
    for all_strata, _, accuracies in GRIDS.values():
        for n_strata, accuracy in itertools.product(all_strata, accuracies):
            strata = population(n_strata, accuracy, errors)
            found = 1 - strata.n_errors.sum() / strata.population_size.sum()
            assert found == pytest.approx(accuracy, abs=5e-4)


def test_korn_graubard_is_clopper_and_pearson_on_whole_numbers():
    for x, n in ((0, 30), (3, 30), (30, 30)):
        low, high = korn_graubard(np.array([[x / n]]), np.array([[float(n)]]))
        exact = stats.binomtest(x, n).proportion_ci(method="exact")
        assert (low[0, 0], high[0, 0]) == pytest.approx(tuple(exact))


def test_the_page_is_not_stale_and_holds():
    page = PAGE.read_text()
    replications, seed = re.search(r"--replications (\d+) --seed (\d+)", page).groups()
    assert int(replications) >= 1000
    expected = fingerprint(int(replications), int(seed), render(ESTIMATOR))
    assert f"`{expected}`" in page, "stale: run `make coverage-study` and commit the page"
    assert page.count("| pass |") == 9
    assert "**FAIL**" not in page


def test_a_changed_estimator_makes_the_page_stale(sql):
    now = fingerprint(1000, 1, sql)
    assert fingerprint(1000, 1, sql + "\n-- a comment\n") == now
    assert fingerprint(1000, 1, sql.replace("n + 2", "n + 3")) != now
    assert fingerprint(1001, 1, sql) != now
