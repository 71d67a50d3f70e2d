"""Rates of groups that cut through strata: policies of a simulated week, parts, weeks, misses."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import simulate as simulator
from oracles.raw_tables import RawTables
from oracles.sample import read_sample
from simulator.world import Settings

from .coverage import covered_by
from .scenarios import LEAST_QUEUE_AUDITS, allocate

# Audits of the simulated week whose decisions and policies are known, and what is asked of it.
POLICY_AUDITS = (600, 1500, 3000)
POLICY_METRICS = ("accuracy", "precision", "recall")
CELL_GROUPS = ("policies", "a part of strata", "weeks of a month", "misses")
# How many designs of each of the last three.
DESIGNS_OF_CELLS = 80


def policy_week() -> pd.DataFrame:
    """A simulated week whose every decision is known.

    Returns one row per stratum, policy decided and policy true: population_size, n_correct (the
    action right too), and is_enforced of the stratum. Technical errors are left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        # Its frame comes when the week is over.
        simulator.simulate(Settings(days=9, decisions_per_day=20_000, seed=11), out, workers=1)
        decisions = read_sample(RawTables(out / "raw")).decisions
        truth = pd.concat(map(pd.read_parquet, (out / "truth" / "decisions").glob("*.parquet")))
    rows = decisions[decisions["stratum"] >= 0].merge(
        truth[["decision_id", "true_policy_id", "error_class"]], on="decision_id"
    )
    rows = rows[rows["error_class"] != "technical"].assign(
        decided=lambda at: at["primary_policy_id"].where(at["has_enforced"], "no_violation"),
        true=lambda at: at["true_policy_id"].fillna("no_violation"),
        n_correct=lambda at: at["error_class"] == "correct",
    )
    by = ["stratum", "queue_id", "has_enforced", "decided", "true"]
    cells = rows.groupby(by, dropna=False)["n_correct"].agg(population_size="size", n_correct="sum")
    return cells.reset_index().rename(columns={"has_enforced": "is_enforced"})


@dataclass(frozen=True)
class Asked:
    """A rate asked of decisions in cells, whose decisions are alike in all that is asked.

    name: what it is. at_stake, kept: which cells are in the denominator, and which of them in the
    numerator. cannot_err: of a rate over the truth, which cells hold no miss by their decision.
    """

    name: str
    metric: str
    at_stake: np.ndarray
    kept: np.ndarray
    cannot_err: np.ndarray | None = None


@dataclass(frozen=True)
class Drawing:
    """How designs are audited: how often, by which random numbers, estimated by which SQL."""

    replications: int
    rng: np.random.Generator
    sql: str


def draw(
    cells: pd.DataFrame, n_audits: pd.Series, replications: int, rng: np.random.Generator
) -> np.ndarray:
    """Audit every stratum: how many of each cell are drawn (cells down, replications across)."""
    return np.concatenate(
        [
            rng.multivariate_hypergeometric(
                part["size"].to_numpy(), n_audits[stratum], replications, "marginals"
            ).T
            for stratum, part in cells.groupby("stratum")
        ]
    )


def policies(replications: int, seed: int, sql: str) -> pd.DataFrame:
    """Audit the simulated week again and again; accuracy, precision and recall of every policy.

    A policy is studied where its denominator has LEAST_QUEUE_AUDITS audits to be expected. Rows as
    `measure` gives them; level is the metric.
    """
    week = policy_week()
    # Right ones and wrong ones apart.
    right = week.assign(size=week["n_correct"], is_correct=True)
    wrong = week.assign(size=week["population_size"] - week["n_correct"], is_correct=False)
    cells = pd.concat([right, wrong]).query("size > 0").sort_values("stratum", kind="stable")
    strata = cells.groupby("stratum").agg(
        queue=("queue_id", "first"),
        is_enforced=("is_enforced", "first"),
        population_size=("size", "sum"),
    )
    measured = []
    for n_audits in POLICY_AUDITS:
        strata["n_audits"] = allocate("risk-heavy", strata, n_audits)
        share = (strata.n_audits / strata.population_size).reindex(cells["stratum"]).to_numpy()
        expected = cells["size"].to_numpy() * share
        asked = []
        for policy in sorted(set(cells["decided"])):
            decided = (cells["decided"] == policy).to_numpy()
            true = (cells["true"] == policy).to_numpy()
            asked += [
                Asked(policy, "accuracy", decided, decided & cells["is_correct"].to_numpy()),
                Asked(policy, "precision", decided, decided & true),
                Asked(policy, "recall", true, decided & true, cannot_err=decided),
            ]
        asked = [one for one in asked if expected[one.at_stake].sum() >= LEAST_QUEUE_AUDITS]
        rng = np.random.default_rng([seed, n_audits])
        drawn = draw(cells, strata.n_audits, replications, rng)
        rows = cell_rows(cells, strata, drawn, asked, sql)
        measured.append(rows.assign(group="policies", plan="risk-heavy", n_audits=n_audits))
    rows = pd.concat(measured, ignore_index=True)
    return rows.assign(scenario=range(len(rows)))


def parts_and_misses(replications: int, seed: int, sql: str) -> pd.DataFrame:
    """Groups that a stratum hardly reaches, and recall whose misses are where hardly anybody looks.

    Rows as `measure` gives them.
    """
    rng = np.random.default_rng([seed, 7])
    drawing, measured = Drawing(replications, rng, sql), []
    for _ in range(DESIGNS_OF_CELLS):
        n_strata = int(rng.integers(2, 12))
        size = (200 + 3_000 * rng.lognormal(0, 1, n_strata)).astype(int)
        n_audits = np.minimum(size, 5 + (60 * rng.lognormal(0, 0.8, n_strata)).astype(int))
        # The first stratum, which holds the most, hardly reaches the group.
        size = np.sort(size)[::-1]
        inside = np.append(rng.uniform(0.002, 0.03), rng.uniform(0.05, 1, n_strata - 1))
        rate = rng.beta(9, 1, n_strata)
        group = [
            (stratum, is_in, is_right, round(size[stratum] * part * share))
            for stratum in range(n_strata)
            for is_in, part in ((True, inside[stratum]), (False, 1 - inside[stratum]))
            for is_right, share in ((True, rate[stratum]), (False, 1 - rate[stratum]))
        ]
        measured.append(_one_design(group, n_audits, "a part of strata", drawing))
        measured.append(_weeks_of_a_month(drawing))
        # Of recall: stratum 0 enforced; what it missed is in the one with the fewest audits.
        n_strata = int(rng.integers(3, 9))
        size = (2_000 + 20_000 * rng.lognormal(0, 1, n_strata)).astype(int)
        size[0] = rng.integers(3_000, 9_000)
        n_audits = np.minimum(size, (60 * rng.lognormal(0, 0.7, n_strata) + 15).astype(int))
        sparsest = 1 + int(np.argmin(n_audits[1:] / size[1:]))
        n_kept = int(size[0] * rng.uniform(0.6, 0.98))
        n_missed = min(int(n_kept * rng.uniform(0.02, 0.25)), size[sparsest] // 2)
        group = [(0, True, True, n_kept), (0, True, False, size[0] - n_kept)] + [
            part
            for stratum in range(1, n_strata)
            for missed in [n_missed if stratum == sparsest else 0]
            for part in (
                (stratum, False, True, missed),
                (stratum, False, False, size[stratum] - missed),
            )
        ]
        measured.append(_one_design(group, n_audits, "misses", drawing))
    rows = pd.concat(measured, ignore_index=True)
    return rows.assign(scenario=range(len(rows)), plan="")


def _weeks_of_a_month(drawing: Drawing) -> pd.DataFrame:
    """A group in weekly strata, few of whose audits fall into it; a stratum is one in all weeks."""
    rng = drawing.rng
    n_strata, n_weeks = int(rng.integers(3, 10)), 5
    size = (300 + 2_000 * rng.lognormal(0, 0.8, n_strata)).astype(int)
    n_audits = np.minimum(size, 4 + (20 * rng.lognormal(0, 0.8, n_strata)).astype(int))
    inside, rate = rng.uniform(0.02, 0.4, n_strata), rng.beta(9, 1, n_strata)
    parts = []
    for week in range(n_weeks):
        accuracy = np.clip(rate + rng.normal(0, 0.03, n_strata), 0, 1)
        parts += [
            (week * n_strata + stratum, is_in, is_right, round(size[stratum] * part * share))
            for stratum in range(n_strata)
            for is_in, part in ((True, inside[stratum]), (False, 1 - inside[stratum]))
            for is_right, share in ((True, accuracy[stratum]), (False, 1 - accuracy[stratum]))
        ]
    of_plan = np.tile(np.arange(n_strata), n_weeks)
    return _one_design(parts, np.tile(n_audits, n_weeks), "weeks of a month", drawing, of_plan)


def _one_design(
    parts: list[tuple],
    n_audits: np.ndarray,
    family: str,
    drawing: Drawing,
    of_plan: np.ndarray | None = None,
) -> pd.DataFrame:
    """Audit strata of parts: (stratum, is in the group or enforced, is right or violates, size).

    of_plan: the plan's stratum of each, where weeks have strata of their own.
    """
    cells = pd.DataFrame(parts, columns=["stratum", "first", "second", "size"]).query("size > 0")
    first, second = cells["first"].to_numpy(), cells["second"].to_numpy()
    strata = cells.groupby("stratum").agg(population_size=("size", "sum"))
    strata["queue"] = strata.index
    strata["of_plan"] = strata.index if of_plan is None else of_plan[strata.index]
    strata["n_audits"] = np.minimum(n_audits[strata.index], strata["population_size"])
    if family == "misses":
        asked = Asked(family, "recall", second, first & second, cannot_err=first)
    else:
        asked = Asked(family, "accuracy", first, first & second)
    drawn = draw(cells, strata["n_audits"], drawing.replications, drawing.rng)
    rows = cell_rows(cells, strata, drawn, [asked], drawing.sql)
    return rows.assign(group=family, n_audits=strata["n_audits"].sum())


def cell_rows(
    cells: pd.DataFrame, strata: pd.DataFrame, drawn: np.ndarray, asked: list[Asked], sql: str
) -> pd.DataFrame:
    """Estimate every rate that is asked, from the audits drawn of each cell."""
    number, size, replications = (
        cells["stratum"].to_numpy(),
        cells["size"].to_numpy(),
        drawn.shape[1],
    )
    domains, of_what, truths, coverages = [], [], [], []
    for one in asked:
        is_of_truth = one.cannot_err is not None
        truths.append([size[one.kept].sum() / size[one.at_stake].sum()])
        of_what.append(
            {"errors": one.name, "level": one.metric, "n_strata": len(strata),
             "accuracy": truths[-1][0], "n": drawn[one.at_stake].sum() / replications}
        )  # fmt: skip
        # What the group has in each of the plan's strata, and whether an audit of it fell there.
        of_plan = strata.get("of_plan", pd.Series(strata.index, index=strata.index))
        held, seen = dict.fromkeys(of_plan, 0), dict.fromkeys(of_plan, np.zeros(replications, bool))
        for stratum in np.unique(number if is_of_truth else number[one.at_stake]):
            here = number == stratum
            n = drawn[here & one.at_stake].sum(axis=0)
            kept = drawn[here & one.kept].sum(axis=0)
            place = of_plan[stratum]
            held[place] += size[here & one.at_stake].sum()
            seen[place] = seen[place] | (n > 0)
            domains.append(
                {
                    "domain_key": np.full(replications, len(of_what) - 1),
                    "replication": np.arange(replications),
                    "stratum_key": np.full(replications, stratum),
                    "n": n,
                    "kept": kept,
                    "lost": n - kept,
                    "n_base": drawn[here].sum(axis=0) if is_of_truth else n,
                    "n_cannot_err": drawn[here & one.cannot_err].sum(axis=0)
                    if is_of_truth else np.zeros(replications),
                    "interval_kind": np.full(replications, "truth" if is_of_truth else "share"),
                }
            )  # fmt: skip
        covered = sum(held[place] * seen[place] for place in held) / size[one.at_stake].sum()
        coverages.append(np.ones(replications) if is_of_truth else covered)
    with duckdb.connect(config={"threads": 2}) as database:
        frame = strata.reset_index(names="stratum_key").assign(design_key=0)
        database.register("strata", frame.rename(columns={"queue": "queue_key"}))
        found = database.register(
            "cells",
            pd.DataFrame({name: np.concatenate([d[name] for d in domains]) for name in domains[0]}),
        ).execute(sql).df().drop(columns="standard_error_reason")  # fmt: skip
    place = found["domain_key"].astype(int) * replications + found["replication"].astype(int)
    grid = {"cell_coverage": np.array(coverages)}
    for name in found.columns:
        values = np.full(len(of_what) * replications, np.nan)
        values[place] = found[name].astype(float)
        grid[name] = values.reshape(-1, replications)
    return pd.DataFrame(of_what).join(covered_by(np.array(truths), grid))
