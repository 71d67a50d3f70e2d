"""The oracle agrees with the marts, and sees a number that is wrong."""

import inspect
import json
import re
import shutil

import duckdb
import oracle
import pandas as pd
import pytest
import simulate as simulator
from click.testing import CliRunner
from oracles import disclosure
from projects import ROOT
from simulator.world import Settings

WORLD = Settings(days=35, decisions_per_day=300, moderators=20, queues=3, audit_rate=0.3)


def ask(project, *options, warehouse=None):
    warehouse = warehouse or project.warehouse
    return CliRunner().invoke(
        oracle.main,
        [
            *("--raw", str(project.raw)),
            *("--warehouse", str(warehouse)),
            *("--manifest", str(project.manifest_json)),
            *options,
        ],
    )


@pytest.mark.parametrize("family", oracle.families())
def test_the_marts_agree_with_the_oracle(platform, family):
    result = ask(platform, "--family", family)
    assert result.exit_code == 0, result.output
    assert "agrees" in result.output


def test_every_mart_with_metrics_is_recomputed():
    """A family names it by its schema; the test above then compares it."""
    marts = set(pd.read_csv(ROOT / "seeds" / "metrics.csv")["mart"])
    source = "\n".join(inspect.getsource(family) for family in oracle.families().values())
    assert len(marts) > 10
    assert marts - set(re.findall(r'"\w+\.(\w+)"', source)) == set()


def spoilt(table):
    """A frame a third too large in two weeks of a stratum; a fifth of a queue's audits blank."""
    if "population_size" in table:
        weeks = table["period_start"].isin(pd.to_datetime(["2026-03-09", "2026-03-16"]))
        is_spoilt = weeks & (table["stratum_id"] == "human-q03-enforced")
        table.loc[is_spoilt, "population_size"] = table["population_size"] * 4 // 3
    else:
        is_blank = table["audit_id"].str[-1].isin(["1", "2"])
        is_blank &= table["stratum_id"].str.contains("q02")
        table.loc[is_blank, "truth_action_code"] = None
    return table


@pytest.mark.deep
def test_they_agree_on_what_rests_on_a_bad_frame_or_on_blanks(new_project):
    project = new_project()
    simulator.simulate(WORLD, project.folder / "data", workers=1)
    for name in ("sampling_frame", "audits"):
        for file in project.raw.glob(f"{name}*/**/*.parquet"):
            spoilt(pd.read_parquet(file)).to_parquet(file, index=False)
    run = project.build(data_tests=False)
    assert run.returncode == 0, run.stdout
    for mart, reasons in {
        "rates.accuracy_rates": {"frame_disagrees", "truth_often_missing", "none"},
        "explain.accuracy_compared": {"frame_disagrees", "none"},
        "restricted.moderator_accuracy": {"frame_disagrees", "none"},
    }.items():
        found = project.query(f"select distinct coalesce(reason_code, 'none') as code from {mart}")
        assert reasons <= {*found["code"]}, mart
    result = ask(project, "--family", "accuracy", "--family", "people")
    assert result.exit_code == 0, result.output


# One wrong number of each mart: the SQL, and what is said.
WRONG = {
    "a last digit": (
        "update rates.accuracy_rates set standard_error = standard_error + 1e-8 where rowid = "
        "(select min(rowid) from rates.accuracy_rates where standard_error > 0 "
        "and period_type = 'week')",
        "rates.accuracy_rates",
    ),
    "an unknown that is shown": (
        "update rates.policy_rates set estimate = 0 where rowid = "
        "(select min(rowid) from rates.policy_rates where estimate is null)",
        "estimate differs",
    ),
    "a row that is lost": (
        "delete from explain.error_pareto where rowid = 0",
        "not in the mart",
    ),
    "a row too many": (
        "insert into explain.policy_confusion select * replace ('x' as decided_policy_id) "
        "from explain.policy_confusion limit 1",
        "not recomputed",
    ),
}


def test_the_oracle_sees_what_is_wrong(platform, tmp_path, monkeypatch):
    recompute, other = oracle.recompute, tmp_path / "wrong.duckdb"
    # It asks a warehouse only who is suppressed, which is no other here: what took minutes is kept.
    monkeypatch.setattr(
        oracle, "recompute", lambda family, raw, _: recompute(family, raw, platform.warehouse)
    )
    shutil.copy(platform.folder / "data" / "warehouse.duckdb", other)
    with duckdb.connect(other) as database:
        for sql, _ in WRONG.values():
            ((n,),) = database.execute(sql).fetchall()
            assert n == 1
    result = ask(platform, "--family", "accuracy", "--family", "explain", warehouse=other)
    assert result.exit_code == 1
    for name, (_, said) in WRONG.items():
        assert said in result.output, name
    assert result.output.count("differs") >= len(WRONG)


def test_a_family_that_is_not_there_is_named(platform):
    result = ask(platform, "--family", "nonsense")
    assert result.exit_code == 2
    assert "nonsense" in result.output


def test_differences_are_relative_and_nulls_are_told_apart():
    left = pd.DataFrame({"k": ["a", "b"], "x": [1e6, None], "t": ["u", "v"]})
    right = pd.DataFrame({"k": ["a", "b"], "x": [1e6 + 1, 0.0], "t": ["u", "w"]})
    largest, problems = oracle.difference(left, right, ["k"])
    assert largest == pytest.approx(1e-6)
    assert len(problems) == 2
    assert oracle.difference(left, left, ["k"]) == (0.0, [])


def test_few_people_are_withheld_whatever_else_is_said_but_that_there_is_nothing():
    codes = ["zero_denominator", "no_variation", "too_few_cases", None, None]
    rows = pd.DataFrame({"n": [0, 1, 4, 5, 6], "key": list("abcde"), "reason_code": codes})
    rows = rows.assign(of="all", gap=0.5)
    hidden = disclosure.hide(rows, "n", ["of"], "key", ["gap"])
    few = ["suppressed_small_group", "suppressed_small_group", "suppressed_complementary"]
    assert [*hidden["reason_code"][:4]] == ["zero_denominator", *few]
    assert pd.isna(hidden["reason_code"][4])
    assert [*hidden["gap"].isna()] == [False, True, True, True, False]


def test_a_mart_without_a_key_is_refused(platform):
    manifest = json.loads((platform.folder / "target" / "manifest.json").read_text())
    with pytest.raises(oracle.click.ClickException, match="unique_key"):
        oracle.key_of("accuracy.nonsense", manifest)
