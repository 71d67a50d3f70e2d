"""The estimator macros against libraries that share no code with them: samplics for estimate and
standard error, statsmodels for Wilson's interval, scipy for quantiles, and numpy for the rest."""

import math
import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest
from benchmarks.samplics_domains import estimates
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import intervals
from project_sql import ProjectSqlError, compiled_models, render
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst

EXACT = 1e-9
LEVELS = (0.8, 0.9, 0.95, 0.99)

ESTIMATOR = """
with design as (
    {{ sampling_design('strata') }}
)

select *
from ({{ stratified_rate('cells', 'design', by=['metric', 'domain']) }}) as rates
order by metric, domain
"""


def run(strata: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The project's SQL on a design and its cells, indexed by domain (metric is always m)."""
    with duckdb.connect() as database:
        database.register("strata", strata)
        database.register("cells", cells.assign(metric="m"))
        return database.execute(render(ESTIMATOR)).df().set_index("domain")


RATIO = """
with design as (
    {{ sampling_design('strata') }}
)

select *
from ({{ stratified_ratio('cells', 'design', by=['domain']) }}) as rates
order by domain
"""


def design(*rows: tuple) -> pd.DataFrame:
    """Strata from (design_key, queue_key, population_size, n_audits)."""
    strata = pd.DataFrame(rows, columns=["design_key", "queue_key", "population_size", "n_audits"])
    return strata.assign(stratum_key=[f"s{i}" for i in range(len(rows))])


def cell(domain: str, stratum: int, n_audits: int, n_successes: int) -> dict:
    return {
        "domain": domain,
        "stratum_key": f"s{stratum}",
        "n_audits": n_audits,
        "n_successes": n_successes,
    }


def variance_strata(strata: pd.DataFrame) -> list[int] | None:
    """Which stratum stands for each audited one in the variance, from the definition, naively.

    None where a whole plan has one audit that is not of a certain stratum.
    """
    rows = list(strata.itertuples(index=False))
    stands_for = list(range(len(rows)))

    def in_order(members: list[int]) -> list[int]:
        return sorted(members, key=lambda i: (rows[i].population_size, rows[i].stratum_key))

    def put_together(lonely: list[int], among: list[int]) -> None:
        if len(lonely) > 1:
            lonely = in_order(lonely)
            # The last of an odd number joins the pair before it.
            starts = range(0, len(lonely) - 1, 2)
            for at in starts:
                until = len(lonely) if at == starts[-1] else at + 2
                for i in lonely[at:until]:
                    stands_for[i] = min(lonely[at:until])
        elif lonely:
            (one,) = lonely
            others = in_order([i for i in among if i != one])
            if others:
                size = rows[one].population_size
                nearest = min(others, key=lambda i: abs(rows[i].population_size - size))
                stands_for[one] = stands_for[nearest]

    for plan in {row.design_key for row in rows}:
        open_ones = [
            i
            for i, row in enumerate(rows)
            if row.design_key == plan and 0 < row.n_audits < row.population_size
        ]
        alone = []
        for queue in {rows[i].queue_key for i in open_ones}:
            members = [i for i in open_ones if rows[i].queue_key == queue]
            lonely = [i for i in members if rows[i].n_audits == 1]
            if len(members) > 1:
                put_together(lonely, members)
            else:
                alone += lonely
        put_together(alone, open_ones)
        if alone and len(open_ones) == 1:
            return None
    return stands_for


def audits_of(strata: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """One row per audit: stratum (a number), domain, y, w. The cells must hold every audit once."""
    weight = (strata.population_size / strata.n_audits.replace(0, np.nan)).to_numpy()
    rows = []
    for one in cells.itertuples(index=False):
        stratum = int(one.stratum_key[1:])
        for y in [1] * one.n_successes + [0] * (one.n_audits - one.n_successes):
            rows.append((stratum, one.domain, y, weight[stratum]))
    return pd.DataFrame(rows, columns=["stratum", "domain", "y", "w"])


def by_samplics(strata: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Estimate and standard error of every domain, by samplics' Taylor linearisation."""
    audits = audits_of(strata, cells)
    # Collapsed strata, but the weights of the strata themselves.
    audits["pool"] = audits.stratum.map(dict(enumerate(variance_strata(strata))))
    members = strata.loc[audits.stratum.unique()]
    sizes = members.groupby(audits.groupby("stratum").pool.first().reindex(members.index))
    fraction = sizes.n_audits.sum() / sizes.population_size.sum()
    audits["fraction"] = audits.pool.map(fraction)
    return estimates(audits.rename(columns={"y": "correct", "w": "weight"}))


def by_numpy(strata: pd.DataFrame, cells: pd.DataFrame, domain: str) -> dict[str, float]:
    """Stabilised design effect, effective n and interval of a domain, stratum by stratum."""
    own = cells[(cells.domain == domain) & (cells.n_audits > 0)]
    at = own.stratum_key.str[1:].astype(int).to_numpy()
    n, k = own.n_audits.to_numpy(float), own.n_successes.to_numpy(float)
    w = (strata.population_size / strata.n_audits.replace(0, np.nan)).to_numpy()[at]
    total, size, p = (w * n).sum(), n.sum(), (w * k).sum() / (w * n).sum()
    drawn = n * (k + 2 * p) / (n + 2)
    pools = np.array(variance_strata(strata))
    is_certain = (strata.n_audits >= strata.population_size).to_numpy()
    variance = 0.0
    for pool in set(pools[at[~is_certain[at]]]):
        inside = strata[(pools == pool) & (strata.n_audits > 0) & ~is_certain]
        audits, population = inside.n_audits.sum(), inside.population_size.sum()
        here = pools[at] == pool
        u = np.concatenate([w * (1 - p), -w * p, [0.0]]) / total
        count = np.concatenate([drawn * here, (n - drawn) * here, [audits - n[here].sum()]])
        spread = (count * (u - (count * u).sum() / audits) ** 2).sum()
        variance += (1 - audits / population) * audits / (audits - 1) * spread
    simple = p * (1 - p) / size
    share = w * n / total
    unsure = (share**2 * intervals.inverse_n(w * n, n)).sum()
    low, high = intervals.stratified_wilson(
        share, w, n, k, part=1 - n / strata.n_audits.to_numpy(float)[at]
    )
    return {
        "design_effect": variance / simple if simple else math.nan,
        "effective_n": 1 / unsure if unsure else total,
        "ci_low": low,
        "ci_high": high,
    }


def assert_agrees(strata: pd.DataFrame, cells: list[dict]) -> pd.DataFrame:
    cells = pd.DataFrame(cells)
    found = run(strata, cells)
    expected = by_samplics(strata, cells)
    assert list(found.index) == list(expected.index)
    # Audits that are all alike show no variance; only of a census there is none.
    whole = set(strata.stratum_key[strata.n_audits >= strata.population_size])
    is_census = cells.groupby("domain").stratum_key.agg(whole.issuperset)
    unseen = (expected["standard_error"] < EXACT) & ~is_census
    expected.loc[unseen, "standard_error"] = np.nan
    for column in ("estimate", "standard_error"):
        np.testing.assert_allclose(found[column], expected[column], rtol=0, atol=EXACT)
    assert (found["standard_error_reason"] == "no_variance_seen").to_dict() == unseen.to_dict()
    for domain in found.index:
        for column, value in by_numpy(strata, cells, domain).items():
            np.testing.assert_allclose(
                found.loc[domain, column], value, rtol=EXACT, atol=EXACT, err_msg=column
            )
    return found


@st.composite
def designs(draw):
    """Up to eight strata of two plans and two queues; every audit is in domain x or y."""
    strata, cells = [], []
    for i in range(draw(st.integers(1, 8))):
        population = draw(st.integers(1, 40))
        n_audits = draw(st.integers(0, min(population, 9)))
        strata.append(
            (draw(st.sampled_from("pq")), draw(st.sampled_from("ab")), population, n_audits)
        )
        in_x = draw(st.integers(0, n_audits))
        for domain, n in (("x", in_x), ("y", n_audits - in_x)):
            if n:
                cells.append(cell(domain, i, n, draw(st.integers(0, n))))
    return design(*strata), cells


@settings(max_examples=100, deadline=None, derandomize=True)
@given(designs())
def test_any_small_design_agrees_with_samplics(case):
    strata, cells = case
    if not cells:
        return
    if variance_strata(strata) is None:
        found = run(strata, pd.DataFrame(cells))
        assert found.standard_error.isna().any()
        assert (found.standard_error_reason == "one_audit").any()
        assert found.ci_low.notna().all()
    else:
        assert_agrees(strata, cells)


@st.composite
def staked_designs(draw):
    """Up to six strata; every audit has up to a million points at stake and keeps some of them."""
    strata, audits = [], []
    for i in range(draw(st.integers(1, 6))):
        population = draw(st.integers(1, 40))
        n_audits = draw(st.integers(0, min(population, 6)))
        strata.append(
            (draw(st.sampled_from("pq")), draw(st.sampled_from("ab")), population, n_audits)
        )
        for _ in range(n_audits):
            at_stake = draw(st.sampled_from([0, 1, 10, 999, 1_000_000]))
            kept = draw(st.integers(0, at_stake) | st.sampled_from([0, at_stake]))
            audits.append((i, draw(st.sampled_from("xy")), kept, at_stake - kept))
    return design(*strata), pd.DataFrame(audits, columns=["stratum", "domain", "kept", "lost"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(staked_designs())
def test_any_ratio_agrees_with_samplics(case):
    strata, audits = case
    if not len(audits) or variance_strata(strata) is None:
        return
    products = audits.assign(
        stratum_key=audits.stratum.map("s{}".format),
        n=1,
        kept_kept=audits.kept**2,
        kept_lost=audits.kept * audits.lost,
        lost_lost=audits.lost**2,
        n_base=1,
        n_cannot_err=0,
        interval_kind="amount",
    )
    by = ["domain", "stratum_key", "interval_kind"]
    cells = products.drop(columns="stratum").groupby(by).sum().reset_index()
    with duckdb.connect() as database:
        database.register("strata", strata)
        database.register("cells", cells)
        found = database.execute(render(RATIO)).df().set_index("domain")
    at_stake = audits.kept + audits.lost
    staked = at_stake.groupby(audits.domain).sum() > 0
    assert found.estimate.notna().to_dict() == staked.to_dict()
    unknown = ["standard_error", "effective_n", "ci_low", "ci_high"]
    assert found.loc[~staked, unknown].isna().all(axis=None)
    if not staked.any():
        return
    pool = audits.stratum.map(dict(enumerate(variance_strata(strata))))
    members = strata.loc[audits.stratum.unique()]
    sizes = members.groupby(pool.groupby(audits.stratum).first().reindex(members.index))
    fpc = 1 - sizes.n_audits.sum() / sizes.population_size.sum()
    weight = (strata.population_size / strata.n_audits.replace(0, np.nan))[audits.stratum]
    estimator = TaylorEstimator(PopParam.ratio)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a domain with nothing at stake
        estimator.estimate(
            y=(audits.kept + at_stake).to_numpy(float),
            x=at_stake.to_numpy(float),
            samp_weight=weight.to_numpy(),
            stratum=pool.to_numpy(),
            psu=np.arange(len(audits)),
            domain=audits.domain.to_numpy(),
            fpc=fpc.sort_index().to_dict(),
            single_psu=SinglePSUEst.skip,
        )
    for domain in staked.index[staked]:
        row = found.loc[domain]
        assert row.estimate == pytest.approx(estimator.point_est[domain] - 1, abs=EXACT)
        if row.standard_error_reason == "no_variance_seen":
            assert math.isnan(row.standard_error)
            assert estimator.stderror[domain] < 1e-7
        else:
            assert row.standard_error == pytest.approx(estimator.stderror[domain], abs=EXACT)
        assert 0 <= row.ci_low <= row.estimate + EXACT
        assert row.estimate - EXACT <= row.ci_high <= 1
        assert row.effective_n > 0


def test_stratified():
    strata = design(("p", "a", 1000, 10), ("p", "a", 200, 20), ("p", "b", 50, 5))
    cells = [cell("all", 0, 10, 9), cell("all", 1, 20, 12), cell("all", 2, 5, 4)]
    found = assert_agrees(strata, cells).loc["all"]
    assert found.n_audits == 35
    assert found.n_strata == 3
    assert found.n_collapsed_strata == 0
    assert found.weighted_denominator == pytest.approx(1250)


def test_domain_that_cuts_through_strata():
    strata = design(("p", "a", 1000, 10), ("p", "b", 200, 20))
    assert_agrees(
        strata, [cell("x", 0, 4, 3), cell("y", 0, 6, 6), cell("x", 1, 1, 0), cell("y", 1, 19, 15)]
    )


@pytest.mark.parametrize(
    ("strata", "n_collapsed"),
    [
        pytest.param([("p", "a", 90, 1), ("p", "a", 30, 4), ("p", "b", 60, 3)], 2, id="queue"),
        pytest.param(
            [("p", "a", 90, 1), ("p", "a", 900, 4), ("p", "a", 60, 3), ("p", "a", 10, 9)],
            2,
            id="nearest",
        ),
        pytest.param([("p", "a", 90, 1), ("p", "b", 30, 4), ("p", "b", 60, 3)], 2, id="plan"),
        pytest.param(
            [("p", "a", 90, 1), ("p", "b", 70, 1), ("p", "b", 60, 3)], 3, id="plan and queue"
        ),
        pytest.param([("p", "a", 90, 1), ("p", "a", 70, 1), ("p", "b", 60, 3)], 2, id="two"),
        pytest.param([("p", "a", n, 1) for n in (90, 20, 70, 30, 40)], 5, id="five"),
        pytest.param([("p", "a", 90, 1), ("p", "b", 1, 1), ("p", "b", 60, 3)], 2, id="certain"),
        pytest.param([("p", None, 90, 1), ("p", None, 70, 2), ("p", "b", 60, 3)], 2, id="no queue"),
    ],
)
def test_one_audit_strata_are_collapsed(strata, n_collapsed):
    strata = design(*strata)
    cells = [cell("all", i, n, max(n - 1, i % 2)) for i, n in enumerate(strata.n_audits)]
    # The oracle groups by queue: a missing one is a queue of its own.
    named = strata.assign(queue_key=strata.queue_key.fillna("none"))
    found = assert_agrees(named, cells).loc["all"]
    assert found.n_collapsed_strata == n_collapsed
    unnamed = run(strata, pd.DataFrame(cells)).loc["all"]
    assert unnamed.standard_error == pytest.approx(found.standard_error, abs=EXACT)


def test_certain_strata_add_no_variance():
    strata = design(("p", "a", 7, 7), ("p", "a", 1, 1), ("p", "b", 50, 5))
    assert_agrees(strata, [cell("all", 0, 7, 3), cell("all", 1, 1, 0), cell("all", 2, 5, 4)])


def test_census_has_no_standard_error_and_all_its_audits():
    strata = design(("p", "a", 7, 7), ("p", "b", 3, 3))
    found = assert_agrees(strata, [cell("all", 0, 7, 3), cell("all", 1, 3, 3)]).loc["all"]
    assert found.standard_error == 0
    assert found.effective_n == 10


def test_strata_without_audits_are_not_spoken_for():
    strata = design(("p", "a", 100, 10), ("p", "a", 900, 0), ("p", "b", 50, 5))
    found = assert_agrees(strata, [cell("all", 0, 10, 8), cell("all", 2, 5, 4)]).loc["all"]
    assert found.weighted_denominator == pytest.approx(150)
    assert found.n_collapsed_strata == 0


@pytest.mark.parametrize("is_right", [True, False])
def test_where_no_variance_was_seen_there_is_an_interval_and_a_reason(is_right):
    strata = design(("p", "a", 1000, 10), ("p", "b", 100, 30))
    cells = [cell("all", 0, 10, 10 * is_right), cell("all", 1, 30, 30 * is_right)]
    found = assert_agrees(strata, cells).loc["all"]
    assert found.estimate == is_right
    assert math.isnan(found.standard_error)
    assert found.standard_error_reason == "no_variance_seen"
    assert found.ci_high - found.ci_low > 0.2


def test_plans_and_periods_of_one_domain_are_collapsed_apart():
    strata = design(
        ("p|week 1", "a", 100, 1),
        ("p|week 1", "a", 80, 6),
        ("p|week 2", "a", 120, 5),
        ("q|week 1", "a", 60, 4),
    )
    cells = [cell("all", 0, 1, 0), cell("all", 1, 6, 6), cell("all", 2, 5, 4), cell("all", 3, 4, 3)]
    assert assert_agrees(strata, cells).loc["all"].n_collapsed_strata == 2


def test_effective_n_is_of_the_plan_and_not_of_what_was_found():
    """An audit of the large stratum speaks for 90 decisions, one of the small for 1."""
    strata = design(("p", "a", 900, 10), ("p", "a", 100, 100))
    found = [
        assert_agrees(strata, [cell("all", 0, 10, right), cell("all", 1, 100, 50)]).loc["all"]
        for right in (10, 9, 2)
    ]
    # Kish's n, with finite-population correction; a census has nothing left to guess.
    kish = 1 / (0.9**2 * (900 - 10) / (900 - 1) / 10)
    assert [row.effective_n for row in found] == pytest.approx([kish] * 3)


def test_one_audit_in_all_has_an_interval_and_no_standard_error():
    found = run(design(("p", "a", 50, 1)), pd.DataFrame([cell("all", 0, 1, 1)])).loc["all"]
    assert (found.estimate, found.ci_high) == (1, 1)
    assert found.ci_low == pytest.approx(proportion_confint(1, 1, method="wilson")[0])
    assert math.isnan(found.standard_error)
    assert found.standard_error_reason == "one_audit"


def test_a_standard_error_is_unknown_only_through_its_own_strata():
    strata = design(("p", "a", 50, 1), ("q", "a", 60, 6))
    found = run(strata, pd.DataFrame([cell("x", 0, 1, 1), cell("y", 1, 6, 5)]))
    assert found.standard_error_reason.fillna("").to_dict() == {"x": "one_audit", "y": ""}
    assert found.standard_error.isna().to_dict() == {"x": True, "y": False}


def test_other_groups_do_not_change_a_group():
    strata = design(("p", "a", 1000, 10), ("p", "b", 200, 20))
    own = [cell("x", 0, 4, 3), cell("x", 1, 7, 6)]
    others = [cell("w", 0, 6, 1), cell("y", 1, 13, 2), cell("z", 0, 10, 10)]
    alone = run(strata, pd.DataFrame(own)).loc["x"]
    among = run(strata, pd.DataFrame(others + own)).loc["x"]
    pd.testing.assert_series_equal(alone, among, check_exact=True)


def test_a_group_without_a_name_is_not_lost():
    strata = design(("p", "a", 1000, 10))
    cells = pd.DataFrame([cell("x", 0, 4, 3), cell(None, 0, 6, 5)])
    assert run(strata, cells).n_audits.sum() == 10


def bounds(macro: str, side: str, pairs: list[tuple]) -> list[float | None]:
    """What a macro of macros/estimators/wilson.sql gives for each (p, n)."""
    sql = render(f"{{{{ {macro}('p', 'n', '{side}') }}}}")
    rows = pd.DataFrame(pairs, columns=["p", "n"], dtype=float)
    with duckdb.connect() as database:
        database.register("pairs", rows.astype(object).where(rows.notna(), None))
        typed = "select try_cast(p as double) as p, try_cast(n as double) as n from pairs"
        return [bound for (bound,) in database.execute(f"select {sql} from ({typed})").fetchall()]


PAIRS = [
    (p, n)
    for p in (0.0, 1e-6, 0.002, 0.3, 0.5, 0.85, 0.97, 0.999999, 1.0)
    for n in (0.4, 1.0, 3.7, 29.99, 30.0, 1234.5, 1e7)
]


@pytest.mark.parametrize("side", ["low", "high"])
def test_wilson_bound_equals_statsmodels(side):
    expected = [
        proportion_confint(p * n, n, alpha=0.05, method="wilson")[side == "high"] for p, n in PAIRS
    ]
    found = bounds("wilson_bound", side, PAIRS)
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), rtol=0, atol=EXACT)


@pytest.mark.parametrize("macro", ["wilson_bound", "interval_bound"])
@pytest.mark.parametrize("side", ["low", "high"])
def test_what_is_not_known_has_no_bound(macro, side):
    unknown = [(0.9, None), (None, 50.0), (None, None), (0.9, 0.0)]
    assert bounds(macro, side, [*unknown, (0.9, 50.0)])[:-1] == [None] * 4


@pytest.mark.parametrize("macro", ["wilson_bound", "interval_bound"])
def test_bounds_enclose_the_estimate_and_are_shares(macro):
    low, high = (np.array(bounds(macro, side, PAIRS)) for side in ("low", "high"))
    share = np.array([p for p, _ in PAIRS])
    assert (low >= 0).all()
    assert (low <= share).all()
    assert (share <= high).all()
    assert (high <= 1).all()


def test_interval_bound_is_wilson_or_beyond_and_mirrored():
    high = np.array(bounds("interval_bound", "high", PAIRS))
    expected = [intervals.upper_bound(p, n) for p, n in PAIRS]
    np.testing.assert_allclose(high, expected, rtol=0, atol=EXACT)
    low_of_errors = bounds("interval_bound", "low", [(1 - p, n) for p, n in PAIRS])
    np.testing.assert_allclose(low_of_errors, 1 - high, rtol=0, atol=EXACT)
    wilson = np.array(bounds("wilson_bound", "high", PAIRS))
    assert (high >= wilson).all()
    assert (high > wilson).any()


def test_simple_samples_are_covered_at_least_ninety_two_times_in_a_hundred():
    """Exact, without draws: the binomial probability of the counts whose interval covers."""
    low, high = (
        render(f"{{{{ interval_bound('p', 'n', '{side}') }}}}") for side in ("low", "high")
    )
    counts = "select x / ?::double as p, ?::double as n from range(? + 1) as counts(x) order by x"
    for n in (20, 60, 200, 1500):
        x = np.arange(n + 1)
        with duckdb.connect() as database:
            bounds = database.execute(
                f"select {low} as low, {high} as high from ({counts})", [n, n, n]
            ).fetchnumpy()
        truths = np.linspace(0.85, 0.9999, 3000)[:, None]
        covers = (bounds["low"] <= truths) & (truths <= bounds["high"])
        coverage = (stats.binom.pmf(x, n, truths) * covers).sum(axis=1)
        assert coverage.min() > 0.92, n


def test_normal_quantiles_equal_scipy():
    calls = [f"{{{{ z_value({level}) }}}} {{{{ near_z_value({level}) }}}}" for level in LEVELS]
    found = [float(z) for z in render(" ".join(calls)).split()]
    expected = [
        stats.norm.ppf(share)
        for level in LEVELS
        for share in (0.5 + level / 2, 1 - 1.4 * (1 - level))
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_level_without_a_quantile_is_an_error():
    for macro in ("z_value", "near_z_value"):
        with pytest.raises(ProjectSqlError, match=r"confidence_level 0\.5 is not one of"):
            render(f"{{{{ {macro}(0.5) }}}}")


def test_what_does_not_render_says_so():
    with pytest.raises(ProjectSqlError, match="no_such_macro"):
        render("{{ no_such_macro() }}")
    with pytest.raises(ProjectSqlError, match="no_such_model"):
        compiled_models(["no_such_model"])
