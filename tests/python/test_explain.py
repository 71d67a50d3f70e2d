"""Why accuracy changed: parts by rate and mix, on random tables and where the truth is known."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from oracle import difference
from oracles import explain
from project_sql import render

DESIGN = "{{ sampling_design('strata') }}"
SPLIT = "{{ rate_and_mix('cells', 'design', ['comparison_id']) }}"
KEY = ["comparison_id", "dimension_name", "dimension_value", "row_type"]
PARTS = ["rate_contribution", "mix_contribution"]
SEGMENTS = [f"s{number}" for number in range(6)]


def world(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells and strata of two periods, in which segments lie across strata, and some come and go.

    Returns:
        Rows of decisions (segment, stratum, side, is_right, is_audited), and the strata by number.
    """
    rng = np.random.default_rng(seed)
    rows, strata = [], []
    right = rng.uniform(0.4, 1, (2, len(SEGMENTS)))
    right[:, 0] = 1
    for side, name in enumerate(explain.SIDES):
        there = rng.random(len(SEGMENTS)) < 0.8
        there[:2] = True
        for _ in range(rng.integers(2, 6)):
            size = int(rng.integers(4, 200))
            share = rng.dirichlet(np.ones(len(SEGMENTS))) * there
            segment = rng.choice(len(SEGMENTS), size, p=share / share.sum())
            part = pd.DataFrame({"segment": segment, "is_right": False, "is_audited": False})
            part["is_right"] = rng.random(size) < right[side, segment]
            n = int(rng.integers(2, min(size, 30) + 1)) if rng.random() < 0.9 or not strata else 0
            part.loc[rng.choice(size, n, replace=False), "is_audited"] = True
            rows.append(part.assign(side=name, stratum=len(strata)))
            strata.append({"population_size": size, "n_audits": n})
        if not rows[-1]["is_audited"].any():
            rows[-1].loc[[0, 1], "is_audited"] = True
            strata[-1]["n_audits"] = 2
    return pd.concat(rows, ignore_index=True), with_weights(pd.DataFrame(strata))


def with_weights(strata: pd.DataFrame) -> pd.DataFrame:
    """What the oracle needs; every stratum has its own variance."""
    return strata.assign(
        weight=strata["population_size"] / strata["n_audits"].replace(0, np.nan),
        pool=strata.index,
        is_certain=(strata["n_audits"] > 0) & (strata["n_audits"] >= strata["population_size"]),
    )


def cells_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums by side, segment and stratum."""
    audited = rows["is_audited"]
    counts = pd.DataFrame({"n_decisions": 1, "n": audited, "k": audited & rows["is_right"]})
    by = {
        "side": rows["side"],
        "dimension_value": "s" + rows["segment"].astype(str),
        "stratum": rows["stratum"],
    }
    return counts.astype(int).groupby(list(by.values())).sum().reset_index(names=list(by))


def recomputed(rows: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """The parts by numpy."""
    cells = cells_of(rows)
    return explain.decompose(cells, cells, strata)


def by_sql(worlds: list[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """The parts of several worlds by the macro."""
    cells, strata = [], []
    for number, (rows, design) in enumerate(worlds):
        own = cells_of(rows).assign(dimension_name="segment")
        whole = own.assign(dimension_name="overall", dimension_value="all")
        key = f"{number:03d} "
        cells.append(pd.concat([own, whole]).assign(comparison_id=key))
        cells[-1]["stratum_key"] = key + cells[-1]["stratum"].astype(str)
        keys = key + design.index.astype(str)
        strata.append(design.assign(stratum_key=keys, design_key=keys, queue_key=keys))
    with duckdb.connect() as database:
        database.register("all_cells", pd.concat(cells).rename(columns={"k": "n_successes"}))
        database.register("all_strata", pd.concat(strata))
        database.execute("create table cells as select *, n as n_audits from all_cells")
        database.execute(
            "create table strata as select * exclude (weight, pool, is_certain) from all_strata"
        )
        database.execute(f"create table design as {render(DESIGN)}")
        return database.execute(render(SPLIT)).df()


WORLDS = [world(seed) for seed in range(60)]


@pytest.fixture(scope="module")
def found():
    return by_sql(WORLDS)


def test_the_sql_is_what_numpy_says(found):
    expected = pd.concat(
        [
            recomputed(*each).assign(comparison_id=f"{number:03d} ", dimension_name="segment")
            for number, each in enumerate(WORLDS)
        ]
    )
    largest, problems = difference(expected, found, KEY)
    assert problems == []
    assert largest < 1e-9
    tried = set(found["segment_status"].dropna())
    assert tried == {"in_both", "new", "vanished", "not_audited_earlier", "not_audited_later"}


def test_the_parts_sum_to_what_was_published(found):
    of = found.set_index(["comparison_id", "row_type"]).sort_index()
    for number, (rows, strata) in enumerate(WORLDS):
        here = of.loc[f"{number:03d} "]
        audits = rows[rows["is_audited"]]
        weight = audits["stratum"].map(strata["weight"])
        rate = (weight * audits["is_right"]).groupby(audits["side"]).sum()
        rate /= weight.groupby(audits["side"]).sum()
        assert here["contribution"].drop("total").sum() == pytest.approx(
            rate["later"] - rate["earlier"], abs=1e-9
        )
        # Without what is left over: the segments explain the change of their own level.
        segments = here.loc[["segment"]]
        level = [
            segments[f"share_{side}"] * segments["rate_earlier"].fillna(segments["rate_later"])
            if side == "earlier"
            else segments["share_later"] * segments["rate_later"].fillna(segments["rate_earlier"])
            for side in explain.SIDES
        ]
        assert segments["contribution"].sum() == pytest.approx(
            level[1].sum() - level[0].sum(), abs=1e-9
        )


def test_what_is_in_one_period_is_all_mix(found):
    alone = found[found["segment_status"].notna() & (found["segment_status"] != "in_both")]
    assert len(alone) > 20
    assert (alone["rate_contribution"] == 0).all()
    assert alone["rate_contribution_standard_error"].isna().all()
    assert (alone["mix_contribution_standard_error"] > 0).all()


def test_nothing_that_stays_as_it_is_has_a_part():
    rows, strata = world(3)
    earlier = rows[rows["side"] == "earlier"]
    later = earlier.assign(side="later", stratum=earlier["stratum"] + 100)
    both = pd.concat([strata, strata.set_axis(strata.index + 100)])
    both = both[both.index.isin([*earlier["stratum"], *later["stratum"]])]
    found = by_sql([(pd.concat([earlier, later]), both)])
    assert found[[*PARTS, "contribution"]].abs().max().max() < 1e-12
    total = found[found["row_type"] == "total"].iloc[0]
    assert total["rate_contribution_standard_error"] > 0
    assert total["mix_contribution_standard_error"] == 0


def test_a_platform_ten_times_as_large_has_the_same_parts():
    rows, strata = world(5)
    larger = pd.concat([rows.assign(is_audited=False)] * 9 + [rows])
    wide = with_weights(strata.assign(population_size=10 * strata["population_size"]))
    one, ten = by_sql([(rows, strata), (larger, wide)]).groupby("comparison_id")
    one, ten = (part.set_index(KEY[1:]).sort_index() for _, part in (one, ten))
    for name in [*PARTS, "contribution", "share_later", "rate_later"]:
        np.testing.assert_allclose(one[name], ten[name], atol=1e-12)


def test_the_way_back_is_the_same_with_the_sign_turned():
    rows, strata = world(7)
    turned = rows.assign(side=rows["side"].map({"earlier": "later", "later": "earlier"}))
    there, back = by_sql([(rows, strata), (turned, strata)]).groupby("comparison_id")
    there, back = (part.set_index(KEY[1:]).sort_index() for _, part in (there, back))
    for name in [*PARTS, "contribution"]:
        np.testing.assert_allclose(there[name], -back[name], atol=1e-12)
        if name in PARTS:
            errors = f"{name}_standard_error"
            np.testing.assert_allclose(there[errors], back[errors], atol=1e-12)


def test_a_wrong_formula_is_seen(found, monkeypatch):
    """The oracle and the macro could not agree if one of them split otherwise."""
    rows, strata = next(each for each in WORLDS if each[0]["segment"].nunique() == len(SEGMENTS))
    expected = recomputed(rows, strata)
    monkeypatch.setattr(explain, "PSEUDO_AUDITS", 0.0)
    other = recomputed(rows, strata)
    assert (expected[PARTS[0]] == other[PARTS[0]])[
        expected["row_type"] != "sampling_of_the_mix"
    ].all()
    error = f"{PARTS[0]}_standard_error"
    assert (expected[error] - other[error]).abs().max() > 1e-4


def audited_again(seed: int, n_audits: int, replications: int) -> pd.DataFrame:
    """Two months of ten segments across eight strata, audited many times by a risk-heavy plan.

    Returns:
        By replication and row: the parts, their errors and what is true of them.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for side, name in enumerate(explain.SIDES):
        right = rng.uniform(0.8, 0.99, 10) - 0.05 * side * (rng.random(10) < 0.3)
        share = rng.dirichlet(np.full(10, 2.0))
        for stratum in range(8):
            size = [400, 3000][stratum % 2]
            segment = rng.choice(10, size, p=share)
            risk = 0.15 if stratum % 2 == 0 else 0
            is_right = rng.random(size) < right[segment] - risk
            parts.append(pd.DataFrame({"segment": segment, "is_right": is_right, "side": name}))
            parts[-1]["stratum"] = stratum + 8 * side
    rows = pd.concat(parts, ignore_index=True)
    sizes = rows.groupby("stratum").size()
    strata = with_weights(pd.DataFrame({"population_size": sizes, "n_audits": n_audits}))
    whole = recomputed(
        rows.assign(is_audited=True), with_weights(strata.assign(n_audits=sizes))
    ).set_index(["row_type", "dimension_value"])
    found = []
    for number in range(replications):
        order = rows.assign(draw=rng.random(len(rows))).groupby("stratum")["draw"].rank()
        table = recomputed(rows.assign(is_audited=order <= n_audits), strata)
        table = table.set_index(["row_type", "dimension_value"])
        for name in PARTS:
            table[f"true_{name}"] = whole[name]
        found.append(table.assign(replication=number).reset_index())
    return pd.concat(found, ignore_index=True)


def covered(found: pd.DataFrame, name: str, row_type: str) -> float:
    """How often the 95 % intervals of a part hold what is true."""
    rows = found[(found["row_type"] == row_type) & found[f"{name}_standard_error"].notna()]
    off = (rows[name] - rows[f"true_{name}"]).abs()
    return float((off <= 1.959964 * rows[f"{name}_standard_error"]).mean())


def test_the_intervals_hold_the_truth():
    for n_audits in (25, 100):
        found = audited_again(1, n_audits, 120)
        for name in PARTS:
            for row_type in ("segment", "total"):
                share = covered(found, name, row_type)
                print(f"{n_audits} audits a stratum, {name} of a {row_type}: {share:.1%}")
                assert share > 0.9
