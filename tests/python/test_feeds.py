"""Monitoring: charts equal published ones; alarms of feeds find what was planted."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from project_sql import compiled_models, render
from projects import ROOT
from scipy.stats import median_abs_deviation, power_divergence

# Montgomery, Introduction to Statistical Quality Control, example 7.1: cans that leak, of 50.
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12,
    7, 13, 9, 6,
]  # fmt: skip
# Mohammed, Panesar, Laney and Wilson (BMJ Qual Saf 2013): people seen within four hours in
# emergency departments of the NHS, by week, and the limits of qicharts2 0.8.1 on a p' chart.
SEEN = [
    266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320, 267923, 271478,
    255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989,
]  # fmt: skip
CAME = [
    280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529, 279618, 283932,
    266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772,
]  # fmt: skip
SEEN_LOW = [
    0.9401296441775141, 0.94004641862513627, 0.9403780655785402, 0.94047300747792362,
    0.94017268417608979, 0.94002465678041103, 0.94020689402152513, 0.94045399796641838,
    0.94022030926792188, 0.94017687421815865, 0.94011081930595297, 0.94020834697566502,
    0.93980301398912502, 0.9398387733905802, 0.94004595428549564, 0.93992289402775664,
    0.93978766173624928, 0.93996904398143111, 0.9400868775214295, 0.93997499652290417,
]  # fmt: skip
# Montgomery's example 9.2: 20 points of N(10, 1), 10 of N(11, 1); weight 0.1, limits of 2.7 sigma.
POINTS = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40,
    10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62,
    11.31, 10.52,
]  # fmt: skip
AVERAGES = [
    9.945, 9.7495, 9.70355, 9.8992, 10.1253, 10.1307, 9.92167, 10.0755, 9.98796, 10.0232, 9.92384,
    10.0785, 10.1216, 10.0495, 10.0525, 9.98426, 10.0478, 10.0740, 9.91864, 10.0108, 10.0997,
    10.0227, 10.2495, 10.3745, 10.3971, 10.4654, 10.4568, 10.5731, 10.6468, 10.6341,
]  # fmt: skip


def p_chart(counts, sizes):
    """The p chart and p' chart of counts, as the mart draws them."""
    n = np.array(sizes, dtype=float)
    points = pd.DataFrame({"c": "x", "place": range(len(n)), "p": np.array(counts) / n, "n": n})
    sigmas = {"p": "sigma", "p_prime": "sigma * sigma_z"}
    limits = ", ".join(
        f"{{{{ control_limit('centre', '{sigma}', '{side}') }}}} as {name}_{side}"
        for name, sigma in sigmas.items()
        for side in ("low", "high")
    )
    chart = "{{ p_charts('points', ['c'], 'place', 'p', 'n') }}"
    with duckdb.connect() as database:
        database.register("points", points)
        return database.sql(
            render(f"select *, {limits} from ({chart}) as chart order by place")
        ).df()


def test_the_p_chart_is_montgomerys():
    chart = p_chart(CANS, [50] * 30)
    assert chart[["centre", "p_low", "p_high"]].round(4).drop_duplicates().values.tolist() == [
        [0.2313, 0.0524, 0.4102]
    ]
    # He finds two samples out of control, 15 and 23.
    out = chart[(chart["p"] > chart["p_high"]) | (chart["p"] < chart["p_low"])]
    assert [*out["place"] + 1] == [15, 23]


def test_the_p_prime_chart_is_that_of_qicharts2():
    chart = p_chart(SEEN, CAME)
    assert chart["centre"].to_numpy() == pytest.approx(0.95289971134419116, abs=1e-14)
    assert chart["p_prime_low"].to_numpy() == pytest.approx(SEEN_LOW, abs=1e-13)
    high = 2 * chart["centre"] - chart["p_prime_low"]
    assert chart["p_prime_high"].to_numpy() == pytest.approx(high, abs=1e-13)
    assert chart["p_low"].iloc[0] == pytest.approx(0.95169956464601502, abs=1e-14)
    assert chart["sigma_z"].iloc[0] == pytest.approx(10.64, abs=0.005)


def test_what_does_not_vary_and_what_is_alone_has_no_p_prime_chart():
    for counts in ([50, 50, 50], [40]):
        chart = p_chart(counts, [50] * len(counts))
        assert chart[["sigma_z", "p_prime_low", "p_prime_high"]].isna().all(axis=None)
        assert chart[["p_low", "p_high"]].notna().all(axis=None)
        assert chart["p_high"].max() <= 1


def test_the_moving_average_is_montgomerys():
    points = pd.DataFrame({"c": "x", "nth": range(1, 31), "x": POINTS}).assign(mu=10.0, sigma=1.0)
    with duckdb.connect() as database:
        database.register("points", points)
        sql = render("{{ ewma('points', ['c'], 'nth', 'x', 'mu', 'sigma', 0.1) }}")
        chart = database.sql(f"from ({sql}) order by nth").df()
    assert chart["ewma"].to_numpy() == pytest.approx(AVERAGES, abs=6e-5)
    high = (10 + 2.7 * chart["ewma_sigma"]).round(2)
    assert [high[0], high[1], high[29]] == [10.27, 10.36, 10.62]
    assert [*chart["nth"][chart["ewma"] > 10 + 2.7 * chart["ewma_sigma"]]] == [29, 30]


def test_the_signed_root_is_that_of_the_likelihood_ratio():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"n": rng.integers(1, 500, 300), "share": rng.uniform(0, 1, 300)})
    rows["x"] = rng.binomial(rows["n"], rng.uniform(0, 1, 300))
    rows.loc[:20, "share"], rows.loc[10:30, "x"] = 0.0, 0
    rows.loc[31:40, "x"] = rows["n"]
    with duckdb.connect() as database:
        database.register("rows_of", rows)
        sql = render("select {{ signed_root('x', 'n', 'share') }} as z from rows_of")
        found = database.sql(sql).df()["z"].to_numpy()
    p = (rows["n"] * rows["share"] + 0.5) / (rows["n"] + 1)
    fit = power_divergence(
        [rows["x"], rows["n"] - rows["x"]], [rows["n"] * p, rows["n"] * (1 - p)],
        lambda_="log-likelihood",
    )  # fmt: skip
    assert found**2 == pytest.approx(fit.statistic, abs=1e-9)
    assert (np.sign(found) == np.sign(rows["x"] - rows["n"] * p)).all()
    # One or two where hardly any is expected are no news; the usual z of 2 in 20 is 6.
    one = render("select {{ signed_root('2', '20', '0.005e0') }}")
    assert duckdb.sql(one).fetchall()[0][0] < 2


def test_a_median_absolute_deviation_becomes_a_standard_deviation():
    ((factor,),) = duckdb.sql(render("select {{ mad_to_sd() }}")).fetchall()
    assert factor == pytest.approx(median_abs_deviation([-1, 1], scale="normal"), abs=1e-15)


# --- alarms of feeds ---------------------------------------------------------------------------

START = pd.Timestamp("2026-03-02")
WEEKDAYS = np.array([1.15, 1.1, 1.1, 1.05, 1.0, 0.8, 0.75])
CHECKS = pd.read_csv(ROOT / "seeds" / "feed_checks.csv")


@pytest.fixture(scope="module")
def watch():
    """A function that gives the scores and alarms of feeds, from their days."""
    models = compiled_models(["int_monitoring__feed_scores", "feed_alarms"])

    def scored(days):
        with duckdb.connect() as database:
            catalog = models["feed_alarms"].relation.split(".")[0]
            database.execute(f"attach ':memory:' as {catalog}; use {catalog}")
            for schema in ("restricted", "reference", "monitoring"):
                database.execute(f"create schema {schema}")
            database.register("given_days", days)
            database.register("given_checks", CHECKS)
            database.execute(
                "create table restricted.int_monitoring__feed_days as "
                "select * replace (calendar_date::date as calendar_date) from given_days"
            )
            database.execute("create table reference.feed_checks as from given_checks")
            for model in models.values():
                database.execute(f"create table {model.relation} as {model.sql}")
            scores = database.sql("from restricted.int_monitoring__feed_scores order by all").df()
            alarms = database.sql("from monitoring.feed_alarms order by all").df()
        return scores, alarms[alarms["alarm_kind"] != "learning"]

    return scored


def quiet(seed, queues, n_days, size, variation=0.0):
    """Days in which nothing happens: chance, a week's shape, and a day's own variation."""
    rng = np.random.default_rng(seed)
    days = pd.MultiIndex.from_product(
        [[f"q{n}" for n in range(queues)], pd.date_range(START, periods=n_days)],
        names=["dimension_value", "calendar_date"],
    ).to_frame(index=False)
    usual = size * WEEKDAYS[days["calendar_date"].dt.day_of_week]
    usual = usual * np.exp(variation * rng.standard_normal(len(days)))
    days = days.assign(feed="decisions", dimension_name="queue", is_known_day=False)
    days["n_of_feed"] = rng.poisson(usual)
    days["n_auto_closed"] = rng.binomial(days["n_of_feed"], 0.012)
    days["n_without_language"] = rng.binomial(days["n_of_feed"], 0.002)
    days["n_without_views"] = rng.binomial(days["n_of_feed"], 0.05)
    return days


@pytest.mark.parametrize(("size", "variation"), [(30, 0.0), (200, 0.0), (5000, 0.0), (200, 0.15)])
def test_quiet_feeds_hardly_alarm(watch, size, variation):
    """In 25 queue-years at most five, of all measures: docs/monitoring.md has more."""
    _, alarms = watch(quiet(2, 25, 364, size, variation))
    assert len(alarms) <= 5, alarms
    assert size < 1000 or alarms.empty


def test_what_is_planted_is_found_on_its_day(watch):
    days = quiet(3, 20, 120, 200)
    at = (days["calendar_date"] - START).dt.days
    planted = {
        ("decisions", "missing_data", 60): ("n_of_feed", 0.0),
        ("decisions", "volume", 75): ("n_of_feed", 2.5),
        ("auto_closed", "bulk_close", 90): ("n_auto_closed", 0.3),
        ("no_language", "broken_feed", 100): ("n_without_language", 1.0),
        ("no_views", "broken_feed", 110): ("n_without_views", 0.3),
    }
    for (_, _, day), (name, size) in planted.items():
        what = days["n_of_feed"] * size
        days.loc[at == day, name] = what.round().astype(int)
    counts = ["n_auto_closed", "n_without_language", "n_without_views"]
    days[counts] = days[counts].clip(upper=days["n_of_feed"], axis=0)
    _, alarms = watch(days)
    found = alarms.groupby(["feed_measure", "alarm_kind", "first_day"])["dimension_value"].nunique()
    for measure, kind, day in planted:
        assert found.get((measure, kind, START + pd.Timedelta(days=day)), 0) >= 19, (measure, kind)
    assert found.sum() <= 5 * 20 + 2


def test_no_day_knows_what_comes_after_it(watch):
    days = quiet(4, 3, 80, 100, 0.1)
    at = (days["calendar_date"] - START).dt.days
    scores, _ = watch(days)
    # What came on the fiftieth day, and all after it, is another thing altogether.
    counts = ["n_of_feed", "n_auto_closed", "n_without_language", "n_without_views"]
    days.loc[at >= 50, counts] *= 7
    again, _ = watch(days)
    day = START + pd.Timedelta(days=50)
    key = ["feed_measure", "dimension_value", "calendar_date"]
    before = scores[scores["calendar_date"] < day].set_index(key)
    assert before.equals(again[again["calendar_date"] < day].set_index(key))
    assert before["z"].notna().sum() == 3 * 4 * (50 - 14)
    of_day = scores[scores["calendar_date"] == day].set_index(key)
    of_day_again = again[again["calendar_date"] == day].set_index(key)
    is_volume = ~of_day["is_share"]
    same = ["n_expected", "residual_spread"]
    assert of_day.loc[is_volume, same].equals(of_day_again.loc[is_volume, same])


def test_a_known_day_is_no_alarm_and_no_measure(watch):
    days = quiet(5, 4, 100, 300)
    at = (days["calendar_date"] - START).dt.days
    days.loc[at == 70, ["n_of_feed", "n_auto_closed", "n_without_language", "n_without_views"]] = 0
    _, alarms = watch(days)
    assert {*alarms["alarm_kind"]} == {"missing_data"}
    assert len(alarms) == 4
    days.loc[at == 70, "is_known_day"] = True
    scores, alarms = watch(days)
    assert alarms.empty
    later = scores[scores["feed_measure"] == "decisions"]
    later = later[later["calendar_date"] == START + pd.Timedelta(days=77)]
    week = days[at.isin(range(77 - 42, 77, 7)) & (at != 70)]
    expected = week.groupby("dimension_value")["n_of_feed"].median()
    assert [*later.set_index("dimension_value")["n_expected"]] == [*expected]
