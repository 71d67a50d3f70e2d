"""The published interval: what it must be in special cases, and how often it covers, exactly."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from oracles import intervals
from project_sql import render
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

RATES = """
with design as (
    {{ sampling_design('strata') }}
)

select *
from ({{ stratified_rate('cells', 'design', by=['sample']) }}) as rates
order by sample
"""
RECALL = """
with design as (
    {{ sampling_design('strata') }}
)

select *
from ({{ stratified_ratio('cells', 'design', by=['sample'], kinds=['truth']) }}) as rates
order by sample
"""


def plan(population: list[int], n: list[int]) -> pd.DataFrame:
    """The strata of one plan, each a queue of its own."""
    keys = [f"s{i}" for i in range(len(n))]
    return pd.DataFrame(
        {"design_key": "p", "queue_key": keys, "stratum_key": keys,
         "population_size": population, "n_audits": n}
    )  # fmt: skip


def estimates(population: list[int], n: list[int], k: np.ndarray) -> pd.DataFrame:
    """The project's SQL on samples of one plan: k has a row a sample and a column a stratum."""
    strata = plan(population, n)
    cells = pd.DataFrame(
        {
            "sample": np.repeat(np.arange(len(k)), len(n)),
            "stratum_key": np.tile(strata["stratum_key"], len(k)),
            "n_audits": np.tile(n, len(k)),
            "n_successes": k.ravel(),
        }
    )
    with duckdb.connect() as database:
        database.register("strata", strata)
        database.register("cells", cells)
        return database.execute(render(RATES)).df()


def by_hand(population: list[int], n: list[int], k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size, audits = np.array(population, float), np.array(n, float)
    return intervals.stratified_wilson(size / size.sum(), size / audits, audits, k.astype(float))


def all_samples(n: list[int]) -> np.ndarray:
    """Every count of right audits that a plan can find."""
    return np.array(np.meshgrid(*(np.arange(size + 1) for size in n), indexing="ij")).reshape(
        len(n), -1
    ).T  # fmt: skip


def probability(population: list[int], right: list[int], n: list[int], k: np.ndarray) -> np.ndarray:
    """How probable each sample is."""
    return np.prod(
        [
            stats.hypergeom.pmf(np.arange(n[i] + 1), population[i], right[i], n[i])[k[:, i]]
            for i in range(len(population))
        ],
        axis=0,
    )


# Many audits where few decisions are, few audits where nearly all are.
FEW_IN_THE_LARGE = [([20_000, 500], [n, 60]) for n in (30, 60)] + [([20_000, 2_000], [30, 60])]


@pytest.mark.parametrize(("population", "n"), FEW_IN_THE_LARGE)
def test_few_audits_in_the_stratum_that_holds_nearly_everything(population, n):
    """Exact, over every sample: where it is published it covers, and is seldom too high."""
    k = all_samples(n)
    found = estimates(population, n, k)
    assert (found.effective_n >= 30).all()
    for large in (0.7, 0.8, 0.9, 0.95, 0.97, 0.99):
        for small in (0.1, 0.5, 0.8, 0.95):
            right = [round(population[0] * large), round(population[1] * small)]
            truth = sum(right) / sum(population)
            chance = probability(population, right, n, k)
            assert chance.sum() == pytest.approx(1)
            covers = (found.ci_low <= truth) & (truth <= found.ci_high)
            assert chance[covers].sum() >= 0.92, (large, small)
            assert chance[found.ci_low > truth].sum() <= 0.05, (large, small)


def test_what_twenty_audits_know_of_a_large_stratum():
    """All 20 right, and half of 450 elsewhere: once published as 94.2 to 99.9 %, effective n 99."""
    found = estimates([20_000, 500], [20, 450], np.array([[20, 225]])).iloc[0]
    assert found.estimate == pytest.approx(0.987805, abs=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.8307, 0.9890), abs=1e-4)
    assert found.effective_n == pytest.approx(21, abs=0.1)


@pytest.mark.parametrize("n", [60, 100, 400])
def test_a_census_lends_its_certainty_to_nobody(n):
    """HateCheck's sizes: 6,149 of 6,149 and n of 13,356, exactly, over every sample."""
    population, right = [6_149, 13_356], [6_020, 13_167]
    k = np.stack([np.full(n + 1, right[0]), np.arange(n + 1)], axis=1)
    found = estimates(population, [6_149, n], k)
    truth = sum(right) / sum(population)
    chance = stats.hypergeom.pmf(k[:, 1], population[1], right[1], n)
    covers = (found.ci_low <= truth) & (truth <= found.ci_high)
    assert chance[covers].sum() >= 0.92
    # The sample's own Wilson interval beside what is known.
    i = (population[1] - n) / (population[1] - 1) / n
    own_low, _ = proportion_confint(k[:, 1] / n / i, 1 / i, alpha=0.05, method="wilson")
    few = k[:, 1] > n / 2
    expected = (right[0] + population[1] * own_low) / sum(population)
    np.testing.assert_allclose(found.ci_low[few], expected[few], atol=1e-9)
    assert (found.ci_high <= (right[0] + population[1]) / sum(population) + 1e-12).all()


def test_one_stratum_is_wilson_with_finite_population_correction():
    k = np.arange(51)[:, None]
    found = estimates([1_000], [50], k)
    effective = 50 * (1_000 - 1) / (1_000 - 50)
    low, _ = proportion_confint(k[:, 0] / 50 * effective, effective, alpha=0.05, method="wilson")
    many = k[:, 0] > 25
    seen = np.maximum(np.clip(low, 0, 1), k[:, 0] / 1_000)
    np.testing.assert_allclose(found.ci_low[many], seen[many], atol=1e-12)


def test_strata_alike_are_one_sample():
    """Ten strata of a million with 40 audits each, without an error: Wilson's bound for 400."""
    found = estimates([10**6] * 10, [40] * 10, np.full((1, 10), 40)).iloc[0]
    assert found.ci_low == pytest.approx(1 - 3.8414588 / (400 + 3.8414588), abs=1e-6)
    assert found.ci_high == 1


def test_a_census_has_no_width():
    found = estimates([40, 7], [40, 7], np.array([[36, 7], [40, 0], [0, 0]]))
    np.testing.assert_array_equal(found.ci_low, found.estimate)
    np.testing.assert_array_equal(found.ci_high, found.estimate)
    assert (found.standard_error == 0).all()
    assert (found.effective_n == 47).all()


def test_the_sql_is_the_formula_in_any_design():
    rng = np.random.default_rng(5)
    for _ in range(12):
        size = rng.integers(1, 9)
        population = rng.integers(1, 3_000, size)
        n = [int(rng.integers(1, min(one, 60) + 1)) for one in population]
        k = np.array([rng.integers(0, np.array(n) + 1) for _ in range(50)])
        k = np.concatenate([k, [n], [[0] * size]])
        found = estimates(population.tolist(), n, k)
        low, high = by_hand(population.tolist(), n, k)
        np.testing.assert_allclose(found.ci_low, low, atol=1e-12)
        np.testing.assert_allclose(found.ci_high, high, atol=1e-12)
        assert (found.ci_low <= found.estimate).all()
        assert (found.estimate <= found.ci_high).all()


# --- ratios over the truth ----------------------------------------------------------------------


def recall(population: list[int], n: list[int], kept: np.ndarray, lost: np.ndarray):
    """Recall where stratum 0 is what was enforced, from kept and lost by sample and stratum."""
    strata = plan(population, n)
    cells = pd.DataFrame(
        {
            "sample": np.repeat(np.arange(len(kept)), len(n)),
            "stratum_key": np.tile(strata["stratum_key"], len(kept)),
            "n": (kept + lost).ravel(),
            "kept": kept.ravel(),
            "lost": lost.ravel(),
            "n_base": np.tile(n, len(kept)),
            "n_cannot_err": np.tile([n[0]] + [0] * (len(n) - 1), len(kept)),
            "interval_kind": "truth",
        }
    )
    with duckdb.connect() as database:
        database.register("strata", strata)
        database.register("cells", cells)
        return database.execute(render(RECALL)).df()


def test_what_the_plan_cannot_see_is_said():
    """100 decisions enforced, one in 333 of the others audited: at best, 7 % is sure."""
    found = recall([100, 33_300], [100, 100], np.array([[80, 0]]), np.array([[0, 0]])).iloc[0]
    z = stats.norm.ppf(0.975) ** 2
    assert found.share_in_sight == pytest.approx(100 / (100 + z * 332))
    assert found.estimate == found.ci_high == 1
    assert found.ci_low < found.share_in_sight


def test_misses_where_hardly_anybody_looks_are_covered():
    """All misses are in a stratum with 40 audits of 20,000; the interval over every sample."""
    population, n, right, missed = [2_000, 20_000], [200, 40], 1_500, 1_000
    found_kept, found_missed = all_samples([200, 40]).T
    kept = np.stack([found_kept, np.zeros_like(found_kept)], axis=1)
    lost = np.stack([np.zeros_like(found_kept), found_missed], axis=1)
    found = recall(population, n, kept, lost)
    found_in_each = np.stack([found_kept, found_missed], axis=1)
    chance = probability(population, [right, missed], n, found_in_each)
    truth = right / (right + missed)
    covers = (found.ci_low <= truth) & (truth <= found.ci_high)
    assert chance[covers].sum() >= 0.92
    assert chance[found.ci_low > truth].sum() <= 0.05


def test_a_recall_is_made_of_two_shares():
    rng = np.random.default_rng(6)
    population, n = [700, 20_000, 3_000], [70, 150, 40]
    kept = np.array([rng.multinomial(40, [0.8, 0.1, 0.1]) for _ in range(40)])
    lost = np.array([rng.multinomial(rng.integers(0, 9), [0, 0.6, 0.4]) for _ in range(40)])
    found = recall(population, n, kept, lost)
    size, audits = np.array(population, float), np.array(n, float)
    share, weight = size / size.sum(), size / audits
    scale = share**2 * (1 - 1 / weight) / audits
    for i, (ours, missed) in enumerate(zip(kept / audits, lost / audits, strict=True)):
        sides = [
            intervals.stratified_wilson(share, weight, audits, counts[i].astype(float))
            for counts in (kept, lost)
        ]
        spread = np.sqrt((scale * ours * (1 - ours)).sum() * (scale * missed * (1 - missed)).sum())
        correlation = -(scale * ours * missed).sum() / spread if spread else 0
        low, high = intervals.ratio_of_shares(
            (share * ours).sum(), (share * missed).sum(), *sides, correlation
        )
        assert (found.ci_low[i], found.ci_high[i]) == pytest.approx((low, high), abs=1e-12)
