"""Why accuracy changed: parts by rate and mix, on random tables and where the truth is known."""

import json
from datetime import date, timedelta

import click
import duckdb
import explain as command
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
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


def by_sql(worlds: list[tuple[pd.DataFrame, pd.DataFrame]], sql: str | None = None) -> pd.DataFrame:
    """The parts of several worlds by the macro, or by other SQL in its place."""
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
        return database.execute(sql or render(SPLIT)).df()


WORLDS = [world(seed) for seed in range(60)]
# And one whose earlier period has no error.
WORLDS += [(rows.assign(is_right=rows["is_right"] | (rows["side"] == "earlier")), strata)
           for rows, strata in WORLDS[:1]]  # fmt: skip


EXPECTED = pd.concat(
    [
        recomputed(*each).assign(comparison_id=f"{number:03d} ", dimension_name="segment")
        for number, each in enumerate(WORLDS)
    ]
)


@pytest.fixture(scope="module")
def found():
    return by_sql(WORLDS)


def test_the_sql_is_what_numpy_says(found):
    largest, problems = difference(EXPECTED, found, KEY)
    assert problems == []
    assert largest < 1e-9
    # Without an error in a whole period, how its rates vary is not known.
    unknown = found["mix_contribution_standard_error"].isna() & found["segment_status"].notna()
    without = [
        number
        for number, (rows, _) in enumerate(WORLDS)
        if rows[rows["is_audited"]].groupby("side")["is_right"].nunique().min() == 1
    ]
    assert len(WORLDS) - 1 in without
    assert set(found.loc[unknown, "comparison_id"]) == {f"{number:03d} " for number in without}
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
    errors = alone["mix_contribution_standard_error"].dropna()
    assert len(errors) > 20
    assert (errors > 0).all()


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


@pytest.mark.parametrize(
    ("right", "wrong", "column"),
    [
        ("- level_of_both", "- 0.9 * level_of_both", "mix_contribution"),
        ("own_part * audit_share * (k", "audit_share * (k", "rate_contribution_standard_error"),
        ("- 2 * c_level_later", "", "mix_contribution_standard_error"),
        (
            "coalesce(own_rate_later, own_rate_earlier)",
            "coalesce(own_rate_later, 0)",
            "contribution",
        ),
    ],
)
def test_a_wrong_formula_is_seen(right, wrong, column):
    sql = render(SPLIT)
    assert right in sql
    found = by_sql(WORLDS, sql.replace(right, wrong))
    largest, _ = difference(EXPECTED[[*KEY, column]], found, KEY)
    assert largest > 1e-6


# --- on a platform: the mart, and the command ----------------------------------------------------


@pytest.fixture(scope="module")
def sql():
    return command.statements(confidence_level=0.95, min_coverage_rate=0.95, min_people=5)


@pytest.fixture(scope="module")
def month(platform):
    """A comparison of whole months, as the mart has it."""
    mart = platform.query("from explain.accuracy_change where period_type = 'month'")
    key = mart["comparison_id"].max()
    return mart[mart["comparison_id"] == key]


def periods_of(mart: pd.DataFrame) -> command.Periods:
    row = mart.iloc[0]
    names = ("period_starts_on", "period_ends_on", "earlier_starts_on", "earlier_ends_on")
    return command.Periods(*(pd.Timestamp(row[name]).date() for name in names))


def test_what_is_suppressed_is_one_segment(platform):
    found = platform.query("""
        select
            change.dimension_value = 'suppressed' as is_merged,
            listed.dimension_value is not null as is_listed
        from explain.accuracy_change as change
        left join restricted.int_people__suppressed_groups as listed
            on listed.basis = 'accuracy'
            and listed.period_type = change.period_type
            and listed.period_starts_on in (change.period_starts_on, change.earlier_starts_on)
            and listed.dimension_name = change.dimension_name
            and listed.dimension_value = change.dimension_value
        where change.row_type = 'segment'
    """)
    assert found["is_merged"].any(), "nothing is suppressed: nothing was tried"
    assert not found["is_listed"].any()


def test_the_command_says_what_the_mart_says(platform, month, sql):
    found = command.explain(platform.warehouse, periods_of(month), {}, "queue", sql)
    key = ["dimension_name", "row_type", "dimension_value"]
    names = [name for name in found.change.columns if name not in ("comparison_id", *key)]
    largest, problems = difference(month[[*key, *names]], found.change[[*key, *names]], key)
    assert problems == []
    assert largest < 1e-9
    gate = platform.query(
        f"from explain.change_gate where comparison_id = '{month['comparison_id'].iloc[0]}'"
    )
    names = ["gate_check", "gate_status", "value_earlier", "value_later", "threshold"]
    assert difference(gate[names], found.gate[names], ["gate_check"]) == (
        pytest.approx(0, abs=1e-9), [],
    )  # fmt: skip


def test_a_part_of_the_platform_is_explained_by_itself(platform, month, sql):
    periods = periods_of(month)
    rates = platform.query(f"""
        select dimension_value, period_starts_on, estimate
        from rates.accuracy_rates
        where
            metric_id = 'accuracy' and metric_version = 1 and period_type = 'month'
            and dimension_name = 'queue'
            and period_starts_on in ('{periods.starts_on}', '{periods.earlier_starts_on}')
            and estimate is not null
        order by all
    """)
    queue = rates["dimension_value"].iloc[0]
    earlier, later = rates.loc[rates["dimension_value"] == queue, "estimate"]
    found = command.explain(
        platform.warehouse, periods, {"queue": queue}, "decided_by", sql, examples=True
    )
    for dimension in found.change["dimension_name"].unique():
        total = found.total(dimension)
        assert (total.rate_earlier, total.rate_later) == pytest.approx((earlier, later), abs=1e-9)
    leading = found.segments("decided_by")["dimension_value"].iloc[0]
    assert 0 < len(found.examples) <= 10
    errors = platform.query("from facts.fct_audits where error_class <> 'correct'")
    errors = errors[errors["decision_id"].isin(found.examples["decision_id"])]
    assert set(errors["queue_id"]) == {queue}
    assert set(errors["decided_by_type"]) == {leading}


def test_the_command_prints_draws_and_keeps(platform, month, tmp_path):
    periods = periods_of(month)
    chart, kept = tmp_path / "new" / "chart.svg", tmp_path / "found.json"
    run = CliRunner().invoke(
        command.main,
        [
            *("--from", str(periods.starts_on), "--to", str(periods.ends_on)),
            *("--database", str(platform.warehouse), "--manifest", str(platform.manifest_json)),
            *("--chart", str(chart), "--json", str(kept), "--examples"),
        ],
        catch_exceptions=False,
    )
    assert run.exit_code == 0, run.output
    assert "Decision ids are of rows of people's work" in run.output
    assert "mix of work" in chart.read_text()
    found = json.loads(kept.read_text())
    # As long as the later one, and just before it.
    earlier = [
        date.fromisoformat(found["periods"][name])
        for name in ("earlier_starts_on", "earlier_ends_on")
    ]
    assert earlier[1] == periods.starts_on - timedelta(days=1)
    assert earlier[1] - earlier[0] == periods.ends_on - periods.starts_on
    assert len(found["sentences"]) == 5
    assert {"driver_round", "dimension_name", "z"} <= set(found["drivers"][0])
    parts = pd.DataFrame(found["parts"])
    sums = parts[parts["row_type"] != "total"].groupby("dimension_name")["contribution"].sum()
    totals = parts[parts["row_type"] == "total"].set_index("dimension_name")["contribution"]
    assert (sums - totals).abs().max() < 1e-9


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.03, 0.01, "The audits cannot tell whether accuracy changed"),
        (-0.03, -0.01, "Accuracy fell by 2.0 points"),
        (0.01, 0.03, "Accuracy rose by 2.0 points"),
    ],
)
def test_the_first_sentence_says_how_sure_it_is(month, low, high, said):
    change = month.copy()
    is_total = change["row_type"] == "total"
    change.loc[is_total, ["contribution_ci_low", "contribution_ci_high"]] = low, high
    change.loc[is_total, "contribution"] = -0.02 if low < 0 else 0.02
    gate = pd.DataFrame({"gate_check": ["truths_missing"], "gate_status": ["look"]})
    driver = {"is_driver": True, "dimension_name": "queue", "dimension_value": "q1", "n_errors": 9}
    drivers = pd.DataFrame([driver | {"expected_errors": 3.0}])
    found = command.sentences(command.Found(change, gate, drivers, None), "queue", 0.95)
    assert found[0].startswith(said)
    assert "truths missing" in found[2]
    assert "queue q1 (9 errors where 3.0 were to be expected)" in found[3]
    none = command.driven(drivers.assign(is_driver=False))
    assert none == "No driver stands out: no slice alone explains it."


def test_what_cannot_be_compared_is_said(platform, month, sql):
    periods = periods_of(month)
    with pytest.raises(click.ClickException, match="nothing to compare"):
        command.explain(platform.warehouse, periods, {"queue": "no such"}, "queue", sql)
    with pytest.raises(click.ClickException, match="no such dimension: colour"):
        command.explain(platform.warehouse, periods, {"colour": "red"}, "queue", sql)
    with pytest.raises(click.ClickException, match="must end before"):
        command.Periods(date(2026, 5, 1), date(2026, 5, 31), date(2026, 4, 1), date(2026, 5, 1))


# --- how honest the intervals are ----------------------------------------------------------------


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
