"""The macros of agreement against libraries that share no code with them: krippendorff, agreement,
statsmodels, and fixed values of irrCAC, on random small designs and on published ones."""

import math
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import difference
from oracles.agreement import COEFFICIENTS, KEYS, coefficients
from project_sql import render
from statsmodels.stats.inter_rater import fleiss_kappa

EXACT = 1e-9

MACROS = [
    "percent_agreement('items', 'observed', ['domain'])",
    "gwets_ac1('cells', 'items', 'observed', ['domain'])",
    "krippendorffs_alpha('cells', ['domain'], 'nominal')",
    "krippendorffs_alpha('cells', ['domain'], 'ordinal')",
    "fleiss_kappa('cells', 'items', 'observed', ['domain'])",
    "cohens_kappa('cells', 'items', ['domain'])",
]
TEMPLATE = "\n/* next */\n".join(f"{{{{ {call} }}}}" for call in MACROS)
SHARED = {
    "items": "{{ rated_items('cells', ['domain']) }}",
    "observed": "{{ observed_agreement('items', ['domain']) }}",
}

CELLS = """
with raters as (
    select domain, count(distinct rater) as n_raters, min(rater) as first_rater
    from ratings
    group by domain
)

select
    ratings.domain,
    item as item_key,
    label,
    rank as label_rank,
    n_raters,
    count(*) as n_ratings,
    count(case when rater = first_rater then 1 end) as n_by_first_rater
from ratings
inner join raters on ratings.domain is not distinct from raters.domain
group by all
"""


def run(ratings: pd.DataFrame) -> pd.DataFrame:
    """The project's SQL on ratings, indexed by domain."""
    with duckdb.connect() as database:
        database.register("given", ratings.astype({"rank": "Int64"}))
        database.execute("create table ratings as from given")
        database.execute(f"create table cells as {CELLS}")
        for name, sql in SHARED.items():
            database.execute(f"create table {name} as {render(sql)}")
        parts = [
            database.execute(sql).df().set_index("domain")
            for sql in render(TEMPLATE).split("/* next */")
        ]
    return pd.concat(parts, axis=1)


def ratings_of(matrix: list[list], domain: str = "x") -> pd.DataFrame:
    """Ratings from a matrix of items by raters, with None where an item was not rated."""
    rows = [
        (domain, f"i{item}", f"r{rater}", f"label {label}", label)
        for item, labels in enumerate(matrix)
        for rater, label in enumerate(labels)
        if label is not None
    ]
    return pd.DataFrame(rows, columns=["domain", "item", "rater", "label", "rank"])


def assert_agrees(ratings: pd.DataFrame) -> pd.DataFrame:
    found = run(ratings)
    assert set(found.index) == set(ratings["domain"])
    for domain, group in ratings.groupby("domain"):
        for name, value in coefficients(group).items():
            np.testing.assert_allclose(
                found.loc[domain, name], value, rtol=0, atol=EXACT, err_msg=name
            )
    have_a_reason = [
        *("gwets_ac1", "krippendorffs_alpha_nominal", "krippendorffs_alpha_ordinal"),
        *("fleiss_kappa", "cohens_kappa"),
    ]
    for name in have_a_reason:
        assert (found[name].isna() == found[f"{name}_reason_code"].notna()).all(), name
    return found


@st.composite
def designs(draw):
    """Up to eight items, five raters and four labels in each of two groups, with blanks."""
    parts = []
    for domain in draw(st.sampled_from(["x", "xy"])):
        n_raters, n_labels = draw(st.integers(1, 5)), draw(st.integers(1, 4))
        rating = st.one_of(st.none(), st.integers(0, n_labels - 1))
        item = st.lists(rating, min_size=n_raters, max_size=n_raters)
        part = ratings_of(draw(st.lists(item, max_size=8)), domain)
        if draw(st.booleans()):
            # Two labels of one strength, and labels without an order.
            ranks = {0: 0, 1: 1, 2: 1, 3: 2} if draw(st.booleans()) else {}
            part["rank"] = part["rank"].map(ranks)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(designs())
@example(ratings_of([]))
@example(ratings_of([[None, None], [None, None]]))
@example(ratings_of([[0]]))
@example(ratings_of([[0, 0, 0], [0, 0, 0]]))
@example(ratings_of([[0, 1], [1, 0]]))
@example(ratings_of([[0, 0], [1, None]]))
@example(ratings_of([[0, None], [None, 1]]))
def test_any_small_design_agrees_with_the_libraries(ratings):
    if len(ratings):
        assert_agrees(ratings)
    else:
        assert len(run(ratings)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_larger_designs_agree_with_the_libraries(seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(5, 400, p=[0.8, 0.1, 0.05, 0.03, 0.02])
    noise = rng.choice(5, (400, 9))
    seen = np.where(rng.random((400, 9)) < 0.8, truth[:, None], noise)
    matrix = np.where(rng.random((400, 9)) < 0.4, None, seen.astype(object)).tolist()
    assert_agrees(ratings_of(matrix))


N = None
# Reference values of irrCAC 0.4.4 (K. Gwet's own methods, ported from his R package), CAC(ratings,
# digits=17): gwet() for pa, ac1 and se, krippendorff() for alpha, fleiss() on the items with at
# least two ratings. It pins old versions of scipy, so it ran in an environment of its own.
IRRCAC = {
    # Gwet's worked example of four raters, five labels and missing ratings.
    "four raters": (
        [
            *([1, 1, N, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4]),
            *([4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [N, 5, 5, 5], [N, N, 1, 1], [N, N, 3, N]),
        ],
        {
            "percent_agreement": 0.8181818181818182,
            "gwets_ac1": 0.7754440681269948,
            "gwets_ac1_standard_error": 0.1429499506407653,
            "krippendorffs_alpha_nominal": 0.7434210526315789,
            "fleiss_kappa": 0.7624831309041836,
        },
    ),
    "two raters, nearly all one label": (
        [[1, 1]] * 40 + [[1, 2], [1, 2], [2, 2]],
        {
            "percent_agreement": 0.9534883720930234,
            "gwets_ac1": 0.9489614243323443,
            "gwets_ac1_standard_error": 0.03730239983424788,
            "krippendorffs_alpha_nominal": 0.4817073170731751,
            "fleiss_kappa": 0.4756097560975547,
        },
    ),
    "three raters, missing ratings": (
        [
            *([1, 2, 1], [2, 2, N], [N, 3, 3], [1, 1, 1], [3, N, N]),
            *([2, 3, 2], [1, 1, N], [N, 2, 2], [3, 3, 3], [1, N, 2]),
        ],
        {
            "percent_agreement": 0.7407407407407406,
            "gwets_ac1": 0.6112730806608357,
            "gwets_ac1_standard_error": 0.21016407326632708,
            "krippendorffs_alpha_nominal": 0.6062499999999997,
            "fleiss_kappa": 0.6058394160583941,
        },
    ),
    "five raters, one item rated once": (
        [
            *([1, 1, 1, 1, 1], [1, 1, 2, 1, N], [2, 2, 2, 2, 2], [1, 1, 1, 1, 1], [4, 3, 4, 4, N]),
            *([1, 1, 1, N, N], [N, N, N, 1, N], [3, 3, 1, 3, 3], [1, 1, 1, 1, 1], [1, 1, 1, 1, 2]),
            *([N, 2, 2, N, 2], [1, N, 1, 1, 1]),
        ],
        {
            "percent_agreement": 0.8363636363636363,
            "gwets_ac1": 0.8012793155176422,
            "gwets_ac1_standard_error": 0.11278122725720052,
            "krippendorffs_alpha_nominal": 0.7039370078740155,
            "fleiss_kappa": 0.7078353253652057,
        },
    ),
    "all agree": (
        [[1, 1], [1, 1], [2, 2], [2, 2], [1, 1], [1, 1], [2, 2], [1, 1]],
        {
            "percent_agreement": 1.0,
            "gwets_ac1": 1.0,
            "gwets_ac1_standard_error": 0.0,
            "krippendorffs_alpha_nominal": 1.0,
            "fleiss_kappa": 1.0,
        },
    ),
}


@pytest.mark.parametrize("name", IRRCAC)
def test_designs_agree_with_irrcac(name):
    matrix, expected = IRRCAC[name]
    found = assert_agrees(ratings_of(matrix)).loc["x"]
    for coefficient, value in expected.items():
        assert found[coefficient] == pytest.approx(value, abs=EXACT), coefficient


def test_the_standard_error_is_the_spread_of_ac1_over_samples_of_items():
    """Linearised, it is what the bootstrap over items comes to."""
    matrix, _ = IRRCAC["four raters"]
    rng = np.random.default_rng(1)
    many = [*matrix] * 12
    found = run(ratings_of(many)).loc["x"]
    spread = np.std(
        [
            coefficients(ratings_of([many[i] for i in rng.integers(0, len(many), len(many))]))[
                "gwets_ac1"
            ]
            for _ in range(400)
        ]
    )
    assert found["gwets_ac1_standard_error"] == pytest.approx(spread, rel=0.12)


def test_fleiss_kappa_equals_statsmodels_where_every_item_has_as_many_raters():
    rng = np.random.default_rng(7)
    matrix = rng.choice(4, (60, 5), p=[0.7, 0.15, 0.1, 0.05]).tolist()
    counts = [[row.count(label) for label in range(4)] for row in matrix]
    found = run(ratings_of(matrix)).loc["x", "fleiss_kappa"]
    assert found == pytest.approx(fleiss_kappa(np.array(counts)), abs=EXACT)


# The table of docs/decisions.md: how often two raters both say no, differ (either way), both say
# yes; and percent agreement, AC1 with its standard error, Cohen's, Fleiss', nominal alpha.
TRAP = [
    ((48, 2, 3, 47), (0.95, 0.900, 0.044, 0.900, 0.900, 0.900)),
    ((78, 2, 3, 17), (0.95, 0.927, 0.033, 0.841, 0.841, 0.842)),
    ((94, 2, 3, 1), (0.95, 0.946, 0.025, 0.260, 0.260, 0.264)),
    ((95, 2, 3, 0), (0.95, 0.947, 0.024, -0.025, -0.026, -0.021)),
    ((251, 65, 65, 19), (0.675, 0.514, 0.044, 0.020, 0.020, 0.022)),
]


@pytest.mark.parametrize(("counts", "expected"), TRAP)
def test_kappa_collapses_at_moderation_base_rates(counts, expected):
    pairs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    matrix = [pair for pair, n in zip(pairs, counts, strict=True) for _ in range(n)]
    found = assert_agrees(ratings_of(matrix)).loc["x"]
    names = ["percent_agreement", "gwets_ac1", "gwets_ac1_standard_error"]
    names += ["cohens_kappa", "fleiss_kappa", "krippendorffs_alpha_nominal"]
    assert found[names].round(3).tolist() == list(expected)


def test_the_table_of_the_document_is_the_one_that_is_tested():
    document = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text(encoding="utf-8")
    for counts, (agreement, ac1, error, *others) in TRAP:
        cells = [*counts, f"{100 * agreement:.1f} %", f"{ac1:.3f} ± {error:.3f}"]
        row = " | ".join(map(str, [*cells, *(f"{value:.3f}" for value in others)]))
        assert f"| {row} |".replace("-", "−") in document


def test_a_coefficient_that_is_not_defined_says_why():
    found = pd.concat(
        [
            run(ratings_of(matrix, domain))
            for domain, matrix in {
                "one label": [[0, 0], [0, 0]],
                "no pairs": [[0, None], [None, 1]],
                "three raters": [[0, 1, 1], [1, 1, 0]],
            }.items()
        ]
    )
    codes = [name for name in found if name.endswith("reason_code")]
    assert set(found.loc["one label", codes]) == {"one_label"}
    assert set(found.loc["no pairs", codes]) == {"no_pairs"}
    assert found.loc["three raters", "cohens_kappa_reason_code"] == "not_two_raters"
    assert found.loc["one label", "percent_agreement"] == 1
    assert math.isnan(found.loc["no pairs", "percent_agreement"])
    without_order = run(ratings_of([[0, 1], [1, 1]]).assign(rank=None))
    reason = without_order.loc["x", "krippendorffs_alpha_ordinal_reason_code"]
    assert reason == "labels_have_no_order"


def test_other_groups_and_the_order_of_rows_change_nothing():
    matrix = IRRCAC["four raters"][0]
    alone = run(ratings_of(matrix)).loc["x", COEFFICIENTS]
    others = [ratings_of([[0, 1], [1, 1]], domain) for domain in ("w", "z")]
    among = pd.concat([others[0], ratings_of(matrix), others[1]]).sample(frac=1, random_state=3)
    pd.testing.assert_series_equal(alone, run(among).loc["x", COEFFICIENTS], check_exact=True)


def test_a_group_without_a_name_is_not_lost():
    ratings = ratings_of([[0, 1], [1, 1], [0, 0]]).assign(domain=None)
    found = run(ratings.astype({"domain": "string"}))
    assert len(found) == 1
    assert found["gwets_ac1"].notna().all()


def assert_equals_the_oracle(found: pd.DataFrame, expected: pd.DataFrame, mart: str) -> None:
    """Each row of either is in the other, and every number is the same to 1e-9."""
    if "n_ratings" in found:
        found = found[found["n_ratings"] > 0]
    keys = [name for name in expected if name in ["coefficient", *KEYS]]
    assert len(expected) > 0
    largest, problems = difference(expected, found, keys)
    assert problems == [], mart
    assert largest <= EXACT, mart


def test_the_platform_has_every_case(platform):
    """On which test_oracle compares the marts of agreement with what the libraries say."""
    reasons = platform.query(
        "select distinct rating_source, exclusion_reason from facts.int_agreement__ratings"
    )
    found = set(reasons.itertuples(index=False, name=None))
    assert {reason for _, reason in found} >= {
        *("not_rated", "not_a_decision", "label_missing", "repeated_rating"),
    }
    assert {source for source, _ in found} == {"calibration", "double_review"}
